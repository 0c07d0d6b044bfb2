#!/bin/sh
exec "$(dirname "$0")/bin/Runner.Listener" configure "$@"
