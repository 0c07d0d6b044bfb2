#!/bin/sh
# The roles, with the passwords of the secret files. The image runs this once, with an empty volume; to
# give the roles the passwords of changed files, run it again in the container:
#
#   sh /docker-entrypoint-initdb.d/10-roles.sh
#
# psql reads the files itself, so that no password is in an argument or the environment. It keeps such
# statements out of the log as well, in case one is slow or fails.
set -eu

for name in app_db_password exporter_db_password; do
    if [ ! -s "/run/secrets/$name" ]; then
        echo "10-roles.sh: /run/secrets/$name is missing or empty; deploy/make-secrets makes it" >&2
        exit 1
    fi
done

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --dbname "${POSTGRES_DB:-app}" <<'SQL'
SET log_min_duration_statement = -1;
SET log_min_error_statement = panic;
SET log_statement = none;
\set app `cat /run/secrets/app_db_password`
\set exporter `cat /run/secrets/exporter_db_password`

SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', name)
FROM unnest(ARRAY['app', 'exporter']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE app PASSWORD :'app' CONNECTION LIMIT 60;
ALTER ROLE exporter PASSWORD :'exporter' CONNECTION LIMIT 5;
-- Statistics and settings, and no table of the application.
GRANT pg_monitor TO exporter;
ALTER ROLE exporter SET statement_timeout = '10s';
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO exporter;
SQL

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --dbname "${POSTGRES_DB:-app}" \
    --set database="${POSTGRES_DB:-app}" --file /etc/postgresql/grants.sql
