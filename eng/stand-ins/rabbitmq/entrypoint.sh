#!/bin/bash
# As the official image starts: as root it makes the data folder its account's and becomes that account; the first user comes from the
# environment.
set -euo pipefail

if [[ $EUID == 0 && ${1:-} == rabbitmq* ]]; then
    chown -R rabbitmq: /var/lib/rabbitmq
    exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups -- "${BASH_SOURCE[0]}" "$@"
fi

if [[ ${1:-} == rabbitmq-server ]]; then
    # Made before the server is there: a command of root's that came first would write one that the server cannot read.
    cookie=$HOME/.erlang.cookie
    if [[ ! -s $cookie ]]; then (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$cookie"); fi
    settings=/etc/rabbitmq/conf.d/10-defaults.conf
    (umask 077 && {
        printf 'loopback_users = none\n'
        [[ -z ${RABBITMQ_DEFAULT_USER:-} ]] || printf 'default_user = %s\n' "$RABBITMQ_DEFAULT_USER"
        [[ -z ${RABBITMQ_DEFAULT_PASS:-} ]] || printf 'default_pass = %s\n' "$RABBITMQ_DEFAULT_PASS"
        [[ -z ${RABBITMQ_DEFAULT_VHOST:-} ]] || printf 'default_vhost = %s\n' "$RABBITMQ_DEFAULT_VHOST"
    } >"$settings")
fi
exec "$@"
