# shellcheck shell=bash
# Private PostgreSQL and RabbitMQ for one home folder, sourced by ./platform.
#
# HOME/run/NAME.pid    one line "pid start-time boot-id", then where the process listens; the start time tells
#                      a process of ours from a stranger that was given its pid later
# HOME/services.env    ports and passwords, kept while the data are kept
# HOME/logs/NAME.log   what each process printed
# Data lie in HOME, or in a folder under /var/tmp where the service accounts cannot reach HOME.

readonly START_DEADLINE=90 STOP_DEADLINE=20
STARTED=()   # what this invocation started in STARTED_HOME, and would have to end if it is cut short
STARTED_HOME=

say() { printf 'platform: %s\n' "$*" >&2; }
die() { say "$1"; exit "${2:-1}"; }

# ---------------------------------------------------------------- processes

# Prints "start-time state" of a process; fails if there is none. The name in /proc/PID/stat may hold spaces.
proc_stat() {
    local line fields
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra fields <<<"${line##*) }"
    printf '%s %s\n' "${fields[19]}" "${fields[0]}"
}

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# record HOME NAME PID ADDRESS: in one rename, so that a reader never sees half a record
record() {
    local stat
    disown "$3" 2>/dev/null || true # or bash would report its end
    stat=$(proc_stat "$3") || return 1
    mkdir -p "$1/run"
    printf '%s %s %s\n%s\n' "$3" "${stat% *}" "$(boot_id)" "$4" >"$1/run/.$2.tmp"
    mv "$1/run/.$2.tmp" "$1/run/$2.pid"
}

# pid_of HOME NAME: the pid, if that very process lives; a zombie does not
pid_of() {
    local pid start boot stat
    { read -r pid start boot <"$1/run/$2.pid"; } 2>/dev/null || return 1
    [[ $pid =~ ^[0-9]+$ && $boot == "$(boot_id)" ]] || return 1
    stat=$(proc_stat "$pid") || return 1
    [[ $stat == "$start "[^ZX] ]] && printf '%s\n' "$pid"
}

alive() { pid_of "$1" "$2" >/dev/null; }

# strays FOLDER: processes of a server's folder that no record knows: children of a killed server, or a start cut short
# before its record. Only server programs count: a shell that somebody left standing in the folder is not ours to end.
strays() {
    local proc
    for proc in /proc/[0-9]*; do
        [[ $(readlink "$proc/cwd" 2>/dev/null) == "$1"* ]] || continue
        case $(readlink "$proc/exe" 2>/dev/null) in
            */postgres | */initdb | */beam.smp | */epmd | */erl_child_setup | */inet_gethost) printf '%s\n' "${proc#/proc/}" ;;
        esac
    done
}

# end_process HOME NAME SIGNAL: asks only; see await_end
end_process() {
    local pid
    if pid=$(pid_of "$1" "$2"); then kill -s "$3" "$pid" 2>/dev/null || true; fi
}

# await_end HOME NAME...: until each is gone, by force after the deadline; then their records go too
await_end() {
    local home=$1 name deadline=$((SECONDS + STOP_DEADLINE))
    shift
    for name in "$@"; do
        while alive "$home" "$name"; do
            ((SECONDS < deadline)) || { say "$name does not end, killing it"; end_process "$home" "$name" KILL; deadline=$((SECONDS + 5)); }
            sleep 0.05
        done
        rm -f "$home/run/$name.pid"
    done
}

# end_strays NAME: a server that is gone may leave children, which would hold its data folder against the next one
end_strays() {
    local pids=() pid deadline=$((SECONDS + STOP_DEADLINE))
    [[ -n $DATA ]] || return 0
    while mapfile -t pids < <(strays "$DATA/$1") && ((${#pids[@]} > 0 && SECONDS < deadline)); do
        for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
        sleep 0.05
    done
}

# detach ACCOUNT FOLDER LOG COMMAND...: a process of its own session (Ctrl-C at a terminal does not reach it), standing in
# FOLDER and holding none of our locks. Every step replaces the one before: $! is the server itself.
detach() {
    local account=$1 log=$3
    cd "$2" || exit
    shift 3
    [[ $EUID != 0 ]] || set -- setpriv --reuid="$account" --regid="$account" --init-groups -- "$@"
    exec setsid "$@" </dev/null >>"$log" 2>&1 8>&- 9>&-
}

# ---------------------------------------------------------------- programs

postgres_bin() {
    local found
    found=$(find /usr/lib/postgresql/*/bin /usr/local/pgsql/bin /usr/pgsql-*/bin -name initdb 2>/dev/null | sort -V | tail -n 1) || true
    [[ -n $found ]] || found=$(command -v initdb) || return 1
    dirname "$found"
}

# The broker's own script; the one in the PATH refuses anybody but root and its own account, and changes the folder.
rabbitmq_script() {
    local found
    for found in /usr/lib/rabbitmq/bin/rabbitmq-server /usr/local/sbin/rabbitmq-server /opt/rabbitmq/sbin/rabbitmq-server; do
        [[ -x $found ]] && readlink -f "$found" && return
    done
    return 1
}

# install_packages NAME...: the distribution starts a server that it installs; for the time of this installation
# it is told not to, unless the machine has a policy of its own.
install_packages() {
    [[ $EUID == 0 && -x $(command -v apt-get) ]] || die "please install $* (Debian, Ubuntu: apt-get install $*)" 2
    local policy=/usr/sbin/policy-rc.d mark='# placed by ./platform while it installs packages' log status=0
    log=$(mktemp)
    say "installing $* from the distribution's packages, once ..."
    if [[ ! -e $policy ]] || grep -qxF "$mark" "$policy"; then
        printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy" && chmod 755 "$policy"
    fi
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } \
        >"$log" 2>&1 </dev/null || status=$?
    ! grep -qxF "$mark" "$policy" || rm -f "$policy"
    ((status == 0)) || { tail -n 5 "$log" >&2; rm -f "$log"; die "could not install $*; please install it and try again" 2; }
    rm -f "$log"
}

# need PROGRAM: a program that is in the package of its name.
need() {
    [[ -n $(command -v "$1") ]] || install_packages "$1"
}

need_programs() {
    local missing=()
    [[ -n ${PLATFORM_POSTGRES:-} ]] || postgres_bin >/dev/null || missing+=(postgresql)
    [[ -n ${PLATFORM_RABBITMQ:-} ]] || rabbitmq_script >/dev/null || missing+=(rabbitmq-server)
    ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
}

# as ACCOUNT COMMAND...: PostgreSQL refuses to run as root, and a broker has no need to
as() {
    local account=$1
    shift
    if [[ $EUID == 0 ]]; then setpriv --reuid="$account" --regid="$account" --init-groups -- "$@"; else "$@"; fi
}

# ---------------------------------------------------------------- ports and settings

port_taken() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# pick_port VARIABLE: keeps its value if it can. Below 32768 no outgoing connection can be given the port meanwhile.
pick_port() {
    local -n port=$1
    picked=${picked/ ${port:-none} / }
    while [[ -z ${port:-} ]] || port_taken "$port" || [[ " $picked " == *" $port "* ]]; do port=$((20000 + RANDOM % 12000)); done
    picked+=" $port "
}

secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

readonly SETTINGS=(DATA PG_PORT PG_PASSWORD MQ_PORT MQ_MANAGEMENT MQ_DIST MQ_EPMD MQ_PASSWORD)

load_settings() {
    local name
    for name in "${SETTINGS[@]}"; do printf -v "$name" ''; done
    # shellcheck source=/dev/null
    [[ ! -s $1/services.env ]] || source "$1/services.env"
}

save_settings() {
    local name
    (umask 077 && for name in "${SETTINGS[@]}"; do printf '%s=%q\n' "$name" "${!name}"; done >"$1/.services.env.tmp")
    mv "$1/.services.env.tmp" "$1/services.env"
}

reachable() {
    local account
    for account in postgres rabbitmq; do
        ! id "$account" >/dev/null 2>&1 || as "$account" test -x "$1" || return 1
    done
}

# choose_data_folder HOME: where the services keep their files (DATA)
choose_data_folder() {
    DATA=$1
    if [[ $EUID != 0 ]] || reachable "$1"; then return; fi
    DATA=/var/tmp/platform-$(sha256sum <<<"$1" | cut -c -16)
    mkdir -m 711 "$DATA" 2>/dev/null && say "the services' accounts cannot reach $1: their data lie under $DATA"
    [[ -d $DATA && -O $DATA && ! -L $DATA ]] || die "$DATA belongs to somebody else" 2
}

own_folder() {
    mkdir -p "$2" && chmod 700 "$2"
    [[ $EUID != 0 ]] || chown "$1:" "$2"
}

# ---------------------------------------------------------------- PostgreSQL

# The cluster gets its name only when whole, so that a start cut short leaves nothing half made.
create_cluster() {
    local bin=$1 new=$DATA/postgres/new
    cd "$DATA/postgres" || return 1
    rm -rf "$new"
    as postgres sh -c 'umask 077; cat >password' <<<"$PG_PASSWORD"
    as postgres "$bin/initdb" -D "$new" -U platform --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 || return 1
    rm password
    cat >>"$new/postgresql.conf" <<-'CONF'
		listen_addresses = '127.0.0.1'
		unix_socket_directories = ''
		max_connections = 200
		timezone = 'UTC'
		log_timezone = 'UTC'
		log_line_prefix = '%m [%p] %q%u@%d '
	CONF
    as postgres "$bin/postgres" --single -D "$new" postgres <<<'CREATE DATABASE platform' || return 1
    mv "$new" "$DATA/postgres/data"
}

launch_postgres() {
    local home=$1 bin log=$1/logs/postgres.log
    bin=$(postgres_bin)
    own_folder postgres "$DATA/postgres"
    [[ -d $DATA/postgres/data ]] || (create_cluster "$bin" >>"$log" 2>&1 8>&- 9>&-) || return 1
    # No server of this folder lives any more (end_strays); its pid file would bar us if the pid now belongs to another.
    rm -f "$DATA/postgres/data/postmaster.pid"
    detach postgres "$DATA/postgres" "$log" "$bin/postgres" -D "$DATA/postgres/data" -p "$PG_PORT" &
    record "$home" postgres $! "tcp://127.0.0.1:$PG_PORT"
}

postgres_ready() { "$(postgres_bin)/pg_isready" -q -h 127.0.0.1 -p "$PG_PORT" -U platform -d platform; }

# ---------------------------------------------------------------- RabbitMQ

# link_plugins FROM TO NAME...: the plugins used and what they need; looking through all seventy costs seconds at each start
link_plugins() {
    local from=$1 to=$2 folder queue
    shift 2
    queue=("$@")
    while ((${#queue[@]} > 0)); do
        folder=$(find "$from" -maxdepth 1 -name "${queue[0]}-[0-9]*" | head -n 1)
        queue=("${queue[@]:1}")
        [[ -n $folder && ! -e $to/${folder##*/} ]] || continue
        ln -s "$folder" "$to/"
        [[ -d $folder/ebin ]] || continue
        mapfile -t -O "${#queue[@]}" queue < <(cat "$folder"/ebin/*.app | tr -d ' \n' |
            grep -oE '\{applications,\[[^]]*' | sed 's/.*\[//' | tr ',' '\n')
    done
}

configure_rabbitmq() {
    local folder=$1 plugins
    plugins=$(dirname "$(dirname "$(rabbitmq_script)")")/plugins
    rm -rf "$folder/plugins"
    mkdir -p "$folder/plugins" "$folder/mnesia" "$folder/log"
    link_plugins "$plugins" "$folder/plugins" rabbitmq_management
    printf '[rabbitmq_management].\n' >"$folder/enabled_plugins"
    (umask 077 && cat >"$folder/rabbitmq.conf") <<-CONF
		listeners.tcp.1 = 127.0.0.1:$MQ_PORT
		management.tcp.ip = 127.0.0.1
		management.tcp.port = $MQ_MANAGEMENT
		# The contract ends at 256 KiB; what is somewhat longer still gets its reason among the rejected.
		max_message_size = 1048576
		default_user = platform
		default_pass = $MQ_PASSWORD
		log.console = true
		log.console.level = info
		log.file = false
	CONF
    [[ $EUID != 0 ]] || chown -R rabbitmq: "$folder"
}

# The node's name holds no port: its database is bound to that name, and must be found again when the ports have changed.
# Its epmd is its own, so that two nodes of one name on a machine do not meet.
rabbitmq_environment() {
    local folder=$1
    MQ_ENVIRONMENT=(env HOME="$folder" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$MQ_EPMD"
        RABBITMQ_NODENAME=platform@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
        RABBITMQ_NODE_PORT="$MQ_PORT" RABBITMQ_DIST_PORT="$MQ_DIST"
        RABBITMQ_MNESIA_BASE="$folder/mnesia" RABBITMQ_LOG_BASE="$folder/log" RABBITMQ_LOGS=-
        RABBITMQ_CONFIG_FILE="$folder/rabbitmq.conf" RABBITMQ_ADVANCED_CONFIG_FILE="$folder/none.config"
        RABBITMQ_CONF_ENV_FILE="$folder/none.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/enabled_plugins"
        RABBITMQ_PLUGINS_DIR="$folder/plugins" RABBITMQ_ALLOW_INPUT=1
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-noinput -kernel inet_dist_use_interface {127,0,0,1}')
}

launch_rabbitmq() {
    local home=$1 folder=$DATA/rabbitmq epmd
    epmd=$(command -v epmd || find /usr/lib/erlang /opt -name epmd -type f 2>/dev/null | head -n 1)
    own_folder rabbitmq "$folder"
    configure_rabbitmq "$folder"
    rabbitmq_environment "$folder"
    detach rabbitmq "$folder" "$home/logs/epmd.log" "${MQ_ENVIRONMENT[@]}" "$epmd" -port "$MQ_EPMD" -address 127.0.0.1 &
    record "$home" epmd $! "tcp://127.0.0.1:$MQ_EPMD" || return 1
    await "$home" epmd port_taken "$MQ_EPMD" || return 1
    detach rabbitmq "$folder" "$home/logs/rabbitmq.log" "${MQ_ENVIRONMENT[@]}" "$(rabbitmq_script)" &
    record "$home" rabbitmq $! "tcp://127.0.0.1:$MQ_PORT"
}

# The broker opens its own port last; the management interface must know the administrator as well.
rabbitmq_ready() {
    local answer
    port_taken "$MQ_PORT" || return 1
    answer=$(
        exec 5<>"/dev/tcp/127.0.0.1/$MQ_MANAGEMENT" || exit 1
        printf 'GET /api/whoami HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic %s\r\n\r\n' \
            "$(printf 'platform:%s' "$MQ_PASSWORD" | base64 -w 0)" >&5
        read -r -t 5 answer <&5 && printf '%s' "$answer"
    ) 2>/dev/null || return 1
    [[ $answer == HTTP/*" 200 "* ]]
}

# ---------------------------------------------------------------- start and stop

# await HOME NAME CONDITION...: false if the process ends or the deadline passes first
await() {
    local home=$1 name=$2 deadline=$((SECONDS + START_DEADLINE))
    shift 2
    until "$@"; do
        alive "$home" "$name" && ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
    alive "$home" "$name"
}

postgres_alive() { alive "$1" postgres; }
rabbitmq_alive() { alive "$1" rabbitmq && alive "$1" epmd; }

# What the environment gives is used as it is; the rest is ours to run.
services_needed() {
    [[ -n ${PLATFORM_RABBITMQ:-} ]] || printf 'rabbitmq\n'
    [[ -n ${PLATFORM_POSTGRES:-} ]] || printf 'postgres\n'
}

# processes_of SERVICE
processes_of() { if [[ $1 == rabbitmq ]]; then printf 'rabbitmq epmd'; else printf '%s' "$1"; fi; }

# discard HOME SERVICE: what is left of one that is not, or only half, alive
discard() {
    local name names
    read -ra names <<<"$(processes_of "$2")"
    for name in "${names[@]}"; do end_process "$1" "$name" KILL; done
    await_end "$1" "${names[@]}"
    end_strays "$2"
}

choose_ports() {
    local picked=" $PG_PORT  $MQ_PORT  $MQ_MANAGEMENT  $MQ_DIST  $MQ_EPMD " name
    case $1 in
        postgres) set -- PG_PORT ;;
        rabbitmq) set -- MQ_PORT MQ_MANAGEMENT MQ_DIST MQ_EPMD ;;
    esac
    for name in "$@"; do pick_port "$name"; done
}

# launch HOME SERVICE...: all at once; then waits for each
launch() {
    local home=$1 name
    shift
    for name in "$@"; do
        discard "$home" "$name"
        choose_ports "$name"
        save_settings "$home"
        STARTED+=("$name")
        "launch_$name" "$home" || return 1
    done
    for name in "$@"; do await "$home" "$name" "${name}_ready" || return 1; done
}

# start_services HOME: starts what is missing; the caller holds the home's lock
start_services() {
    local home=$1 attempt name missing=() begun=$SECONDS
    [[ -n $(services_needed) ]] || return 0
    need_programs
    mkdir -p "$home/run" "$home/logs"
    load_settings "$home"
    choose_data_folder "$home"
    PG_PASSWORD=${PG_PASSWORD:-$(secret)} MQ_PASSWORD=${MQ_PASSWORD:-$(secret)}
    for name in $(services_needed); do
        { "${name}_alive" "$home" && await "$home" "$name" "${name}_ready"; } || missing+=("$name")
    done
    ((${#missing[@]} > 0)) || return 0
    say "starting ${missing[*]} of its own under $DATA ..."
    STARTED_HOME=$home
    for attempt in 1 2 3; do
        if launch "$home" "${missing[@]}"; then say "services ready after $((SECONDS - begun)) s"; return; fi
        # A port may be taken between its choice and its use; the server then ends at once.
        for name in "${missing[@]}"; do discard "$home" "$name"; forget_ports "$name"; done
    done
    tail -q -n 3 "$home"/logs/{postgres,rabbitmq}.log >&2 2>/dev/null || true
    die "the services do not start ($attempt attempts); logs: $home/logs"
}

forget_ports() { if [[ $1 == postgres ]]; then PG_PORT=''; else MQ_PORT='' MQ_MANAGEMENT='' MQ_DIST='' MQ_EPMD=''; fi; }

# stop_hosts HOME: everything recorded that is not a service
stop_hosts() {
    local file name names=()
    for file in "$1"/run/*.pid; do
        name=${file##*/} name=${name%.pid}
        case $name in '*' | postgres | rabbitmq | epmd) ;; *) names+=("$name"); end_process "$1" "$name" TERM ;; esac
    done
    await_end "$1" "${names[@]}"
}

# stop_services HOME: hosts first, as they need the services to end their work
stop_services() {
    local home=$1
    [[ -d $home ]] || return 0
    load_settings "$home"
    stop_hosts "$home"
    end_process "$home" postgres INT # "fast": clients are disconnected, the data are flushed
    end_process "$home" rabbitmq TERM
    await_end "$home" postgres rabbitmq
    end_process "$home" epmd TERM
    await_end "$home" epmd
    end_strays postgres
    end_strays rabbitmq
}

# erase HOME: of a run whose data nobody wants; the lock file stays, somebody may be waiting for it
erase() {
    local name
    [[ -d $1 ]] || return 0
    load_settings "$1"
    stop_hosts "$1"
    for name in rabbitmq postgres; do discard "$1" "$name"; done
    [[ -z ${DATA:-} || $DATA == "$1" ]] || rm -rf "$DATA"
    find "$1" -mindepth 1 -maxdepth 1 ! -name .lock -exec rm -rf {} +
}

# abandon: ends what this invocation started and did not finish starting
abandon() {
    local name
    [[ -z $STARTED_HOME ]] || for name in "${STARTED[@]}"; do discard "$STARTED_HOME" "$name"; done
    STARTED=() STARTED_HOME=
}

# export_services HOME: the three variables that every host, test and benchmark reads
export_services() {
    load_settings "$1"
    export PLATFORM_POSTGRES=${PLATFORM_POSTGRES:-"Host=127.0.0.1;Port=$PG_PORT;Database=platform;Username=platform;Password=$PG_PASSWORD"}
    if [[ -z ${PLATFORM_RABBITMQ:-} ]]; then
        PLATFORM_RABBITMQ=amqp://platform:$MQ_PASSWORD@127.0.0.1:$MQ_PORT/
        PLATFORM_RABBITMQ_MANAGEMENT=http://127.0.0.1:$MQ_MANAGEMENT
    fi
    local authority=${PLATFORM_RABBITMQ#*://}
    authority=${authority%%/*} authority=${authority##*@}
    export PLATFORM_RABBITMQ PLATFORM_RABBITMQ_MANAGEMENT=${PLATFORM_RABBITMQ_MANAGEMENT:-"http://$(sed -E 's/:[0-9]+$//' <<<"$authority"):15672"}
}

# lock HOME: one invocation at a time works on a home; the lock ends with us, however we end. One that is called by the holder has it.
lock() {
    [[ ${PLATFORM_LOCK_HELD:-} != "$1" ]] || return 0
    mkdir -p "$1"
    exec 9>"$1/.lock"
    flock -n 9 || { say "waiting for another ./platform that works in $1"; flock 9; }
}
