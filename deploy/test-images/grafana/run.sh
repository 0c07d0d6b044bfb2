#!/bin/sh
exec python3 -u /usr/share/grafana/grafana.py
