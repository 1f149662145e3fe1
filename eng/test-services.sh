#!/usr/bin/env bash
# Starts private services in a home of their own, kills them, starts them again, stops them; nothing may be left.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
unset PLATFORM_POSTGRES PLATFORM_RABBITMQ PLATFORM_RABBITMQ_MANAGEMENT
home=$(mktemp -d)
chmod 755 "$home" # the services' accounts have to get in
export PLATFORM_HOME=$home
trap './platform services stop; rm -rf "$home"' EXIT

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
field() { sed -n "s/^$1=//p" "$home/services.env"; }
pid_of() { { head -n 1 "$home/run/$1.pid" 2>/dev/null || true; } | cut -d ' ' -f 1; } # nothing while there is no record
open() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
query() {
    PGPASSWORD=$(field PG_PASSWORD) "$(find /usr/lib/postgresql/*/bin /usr/bin -name psql | head -n 1)" -h 127.0.0.1 \
        -p "$(field PG_PORT)" -U platform -d platform -v ON_ERROR_STOP=1 -qAtc "$1"
}
living() {
    local proc
    for proc in /proc/[0-9]*; do
        [[ $(readlink "$proc/cwd" 2>/dev/null) != "$home/"* ]] || printf '%s ' "${proc#/proc/}"
    done
}

step() { printf '%(%T)T %s\n' -1 "$*"; }

step 'start'
eval "$(./platform services start)"
[[ $PLATFORM_POSTGRES == *"Port=$(field PG_PORT);"* && $PLATFORM_RABBITMQ == amqp://*:"$(field MQ_PORT)"/ ]] || fail 'the variables'
unset PLATFORM_POSTGRES PLATFORM_RABBITMQ PLATFORM_RABBITMQ_MANAGEMENT
[[ $(query 'SHOW fsync') == on ]] || fail 'fsync is off'
query 'CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)'

step 'two at once change nothing'
before=$(cat "$home"/run/*.pid)
./platform services start >/dev/null & ./platform services start >/dev/null
wait $!
[[ $before == "$(cat "$home"/run/*.pid)" ]] || fail 'a second start replaced what ran'

step 'kill -9 of all, a stale record, half a record, a port that is taken'
kill -9 "$(pid_of postgres)" "$(pid_of rabbitmq)" "$(pid_of epmd)"
sed -i '1s/^[0-9]*/'$$'/' "$home/run/postgres.pid"
: >"$home/run/epmd.pid"
sed -i "s/^MQ_MANAGEMENT=.*/MQ_MANAGEMENT=$(field MQ_PORT)/" "$home/services.env"
./platform services start >/dev/null
[[ $(query 'SELECT id FROM kept') == 7 ]] || fail 'a committed row was lost'

step 'a start cut short leaves nothing running'
killed=$(pid_of rabbitmq)
kill -9 "$killed"
./platform services start >/dev/null &
start=$!
until [[ -s $home/run/rabbitmq.pid && $(pid_of rabbitmq) != "$killed" ]]; do
    kill -0 "$start" || fail 'the start ended before it could be cut short'
    sleep 0.05
done
cut=$(pid_of rabbitmq)
kill -TERM "$start"
status=0
wait "$start" || status=$?
((status == 143)) || fail "a start that was cut short ended with $status"
[[ $(readlink "/proc/$cut/cwd") != "$home/"* ]] || fail 'the broker runs after its start was cut short'
[[ $(query 'SELECT id FROM kept') == 7 ]] || fail 'the database that ran before was ended too'

step 'stop'
ports=$(sed -n 's/^\(PG_PORT\|MQ_[PMDE][A-Z]*\)=\([0-9]\{5\}\)$/\2/p' "$home/services.env")
./platform services stop
[[ -z $(living) ]] || fail "still running: $(living)"
for port in $ports; do ! open "$port" || fail "port $port is still open"; done
[[ -z $(find "$home/run" -name '*.pid') ]] || fail 'records are left'
step 'nothing is left'
