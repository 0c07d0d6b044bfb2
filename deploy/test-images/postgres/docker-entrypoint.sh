#!/usr/bin/env bash
# What the real image's entrypoint does that the Compose files and scripts rely on: an empty PGDATA is
# filled once, with user, database and password of the environment, and the scripts of
# /docker-entrypoint-initdb.d; then the server runs with the arguments as they are.
set -euo pipefail

fail() {
    printf 'Error: %s\n' "$*" >&2
    exit 1
}

# NAME, or the content of the file that NAME_FILE names.
value() { # NAME DEFAULT
    local file=$1_FILE
    if [ -n "${!1:-}" ] && [ -n "${!file:-}" ]; then fail "both $1 and $file are set (but are exclusive)"; fi
    if [ -n "${!file:-}" ]; then cat "${!file}"; else printf '%s' "${!1:-$2}"; fi
}

initialise() {
    local user database password method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    user=$(value POSTGRES_USER postgres)
    database=$(value POSTGRES_DB "$user")
    password=$(value POSTGRES_PASSWORD '')
    if [ -z "$password" ] && [ "$method" != trust ]; then
        fail 'Database is uninitialized and superuser password is not specified.' \
            'You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.'
    fi

    # initdb wants its user to have a name, whatever number the container was given.
    if ! getent passwd "$(id -u)" >/dev/null; then
        NSS_WRAPPER_PASSWD=$(mktemp)
        NSS_WRAPPER_GROUP=$(mktemp)
        echo "postgres:x:$(id -u):$(id -g):PostgreSQL:$PGDATA:/bin/false" >"$NSS_WRAPPER_PASSWD"
        echo "postgres:x:$(id -g):" >"$NSS_WRAPPER_GROUP"
        export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
        LD_PRELOAD=$(find /usr/lib -name libnss_wrapper.so | head -n 1)
        export LD_PRELOAD
    fi
    # shellcheck disable=SC2086 # arguments, separated by spaces
    initdb --username="$user" --pwfile=<(printf '%s\n' "$password") ${POSTGRES_INITDB_ARGS:-}
    unset LD_PRELOAD
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

    # Only by its socket, so that nobody takes it for the server that it becomes. The password is not
    # asked for there.
    PGUSER=$user pg_ctl -D "$PGDATA" -w start -o "$(printf '%q ' "$@" -c 'listen_addresses=' -p "${PGPORT:-5432}")"
    export PGHOST='' PGHOSTADDR='' PGUSER=$user
    if [ "$database" != postgres ]; then
        psql -v ON_ERROR_STOP=1 --no-psqlrc --dbname postgres --set db="$database" <<<'CREATE DATABASE :"db";'
    fi
    export PGDATABASE=$database
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh)
                echo "$0: running $file"
                # shellcheck disable=SC1090 # whatever has been mounted
                if [ -x "$file" ]; then "$file"; else . "$file"; fi
                ;;
            *.sql) echo "$0: running $file" && psql -v ON_ERROR_STOP=1 --no-psqlrc -f "$file" ;;
            *.sql.gz) echo "$0: running $file" && gunzip -c "$file" | psql -v ON_ERROR_STOP=1 --no-psqlrc ;;
            *.sql.zst) echo "$0: running $file" && zstd -dc "$file" | psql -v ON_ERROR_STOP=1 --no-psqlrc ;;
            */'*') ;;
            *) echo "$0: ignoring $file" ;;
        esac
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGHOST PGHOSTADDR PGUSER PGDATABASE
    printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi

if [ "$1" = postgres ] && [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres "$PGDATA"
    exec gosu postgres "$0" "$@"
fi
if [ "$1" = postgres ]; then
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA" 2>/dev/null || true
    if [ -s "$PGDATA/PG_VERSION" ]; then
        printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
    else
        initialise "${@:2}"
    fi
fi
exec "$@"
