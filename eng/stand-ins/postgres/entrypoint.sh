#!/bin/bash
# As the official image starts: as root it makes the data folder its account's and becomes that account; an empty folder gets a
# cluster with the given superuser, password and database, over a socket that only this container sees.
set -euo pipefail
[[ ${1:-} != -* ]] || set -- postgres "$@"

if [[ $EUID == 0 && ${1:-} == postgres ]]; then
    mkdir -p "$PGDATA"
    chown -R postgres: "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- "${BASH_SOURCE[0]}" "$@"
fi

if [[ ${1:-} == postgres && ! -s $PGDATA/PG_VERSION ]]; then
    : "${POSTGRES_PASSWORD:?is not set}"
    user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
    initdb --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8
    printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    printf "listen_addresses = '*'\n" >>"$PGDATA/postgresql.conf"
    pg_ctl -w start -o "-c listen_addresses=''"
    [[ $database == postgres ]] || psql -v ON_ERROR_STOP=1 -q -U "$user" -d postgres -v name="$database" <<<'CREATE DATABASE :"name"'
    pg_ctl -w -m fast stop
    printf '\nPostgreSQL init process complete; ready for start up.\n\n'
fi
exec "$@"
