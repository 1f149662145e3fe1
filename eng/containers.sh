#!/usr/bin/env bash
# The container stack as a person starts it, checked from a clean state; and the engine to do that with, where there is none.
#
# An engine that answers is used as it is, under a project name of our own. Where none does, one is started that is ours alone: its
# folder, socket and images lie apart, its mounts in a name space that ends with it. Where no registry answers either, images under the
# official names are made from Debian's packages and this machine's .NET: stand-ins, and called so wherever a result is told.
#
# HOME/containers/           data and images of the private engine, kept for the next time until "purge"
# /run/platform-HASH/        its sockets, whose names must be short
# exit status 3              no engine can start here; one line says why
set -euo pipefail
ROOT=$(CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT
# shellcheck source=eng/services.sh
source "$ROOT/eng/services.sh"

STATE=$(readlink -m -- "${PLATFORM_HOME:-$ROOT/.platform}")/containers
SHORT=/run/platform-$(sha256sum <<<"$STATE" | cut -c -16)
readonly STATE SHORT UNAVAILABLE=3
readonly OFFICIAL=(postgres:17 rabbitmq:4-management mcr.microsoft.com/dotnet/aspnet:10.0 mcr.microsoft.com/dotnet/sdk:10.0)

usage() {
    cat <<'TEXT'
usage: eng/containers.sh [check | engine | down | purge]

  check       builds the images, starts the stack, checks it, stops it, removes it (without a command, too)
  engine      starts an engine with the images of PostgreSQL and RabbitMQ; prints the variables by which Testcontainers finds it
  down        ends the engine, with all that it started and made on this machine; its images are kept
  purge       the same, and removes the images
TEXT
}

cannot() { die "no containers here: $1" "$UNAVAILABLE"; }

# phase NAME COMMAND...: says how long it took
phase() {
    local name=$1 begun=${EPOCHREALTIME/[.,]/} took
    shift
    "$@"
    took=$((${EPOCHREALTIME/[.,]/} - begun))
    say "$(printf '%-40s %4d.%d s' "$name" $((took / 1000000)) $((took / 100000 % 10)))"
}

# quietly LOG COMMAND...: its output only if it fails
quietly() {
    local log=$STATE/logs/$1.log
    shift
    "$@" >"$log" 2>&1 </dev/null || { tail -n 15 "$log" >&2; die "failed: $*; its log: $log"; }
}

# ---------------------------------------------------------------- this machine's package sources

# The release of Debian that has PostgreSQL 17, RabbitMQ 4 and compose 2, from wherever this machine has its packages.
debian_sources() {
    # shellcheck disable=SC2016 # apt expands
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(RELEASE) $(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | sort -u |
        while read -r origin codename release uri component; do
            [[ $origin == Debian && $component == main ]] || continue
            printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$uri" "${release/${codename%%-*}/trixie}"
        done
}

# Proxies and the like, without what belongs to this release's own files.
apt_settings() { apt-config dump Acquire | grep -v -e '^Acquire::IndexTargets' -e ' "";$' -e '^Acquire::Changelogs' || true; }

prepare_sources() {
    mkdir -p "$STATE/apt/lists/partial" "$STATE/apt/cache/archives/partial" "$STATE/apt/parts"
    debian_sources >"$STATE/apt/sources.list"
    [[ -s $STATE/apt/sources.list ]] || { apt-get update -q >/dev/null 2>&1 && debian_sources >"$STATE/apt/sources.list"; } || true
    [[ -s $STATE/apt/sources.list ]] || cannot 'this machine has no engine, and its package sources are not those of Debian'
    { apt_settings && printf 'Acquire::Languages "none";\nAcquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";\n'; } >"$STATE/apt/acquire.conf"
    : >"$STATE/apt/status"
}

apt_private() {
    APT_CONFIG=$STATE/apt/acquire.conf "$1" -q -o Dir::Etc::sourcelist="$STATE/apt/sources.list" -o Dir::Etc::sourceparts="$STATE/apt/parts" \
        -o Dir::State::lists="$STATE/apt/lists" -o Dir::Cache="$STATE/apt/cache" -o Dir::State::status="$STATE/apt/status" \
        -o APT::Sandbox::User=root "${@:2}"
}

# ---------------------------------------------------------------- engine

# Compose 2 and buildx: this release's are too old.
fetch_plugins() {
    [[ ! -x $DOCKER_CONFIG/cli-plugins/docker-compose ]] || return 0
    rm -rf "$STATE/plugins"
    mkdir -p "$STATE/plugins" "$DOCKER_CONFIG/cli-plugins"
    apt_private apt-get update
    (cd "$STATE/plugins" && apt_private apt-get download docker-compose docker-buildx)
    find "$STATE/plugins" -name '*.deb' -exec dpkg-deb -x {} "$STATE/plugins/files" \;
    mv "$STATE"/plugins/files/usr/libexec/docker/cli-plugins/* "$DOCKER_CONFIG/cli-plugins/"
    rm -rf "$STATE/plugins"
}

engine_ready() { docker version >/dev/null 2>&1; }

# What an engine changes on the machine and leaves behind.
remember_machine() {
    [[ ! -e $STATE/before ]] || return 0
    printf 'FORWARDING=%q\nPOLICY=%q\nBRIDGE=%q\n' "$(cat /proc/sys/net/ipv4/ip_forward)" \
        "$(iptables -S FORWARD | sed -n 's/^-P FORWARD //p')" "$(ip -o link show docker0 2>/dev/null | cut -d : -f 2)" >"$STATE/before"
}

launch_engine() {
    local unshare
    unshare=$(command -v unshare)
    mkdir -p "$SHORT" "$STATE/data" "$STATE/logs"
    printf '{}\n' >"$STATE/daemon.json" # not the machine's own
    rm -f "$SHORT/docker.pid"
    # Mounts in a name space of its own end with it, however it ends.
    detach root "$STATE" "$STATE/logs/engine.log" "$unshare" --mount "$(command -v dockerd)" --config-file "$STATE/daemon.json" \
        --host "$DOCKER_HOST" --data-root "$STATE/data" --exec-root "$SHORT/exec" --pidfile "$SHORT/docker.pid" &
    record "$STATE" engine $! "$DOCKER_HOST"
}

use_private() {
    PRIVATE=1
    export DOCKER_HOST=unix://$SHORT/docker.sock DOCKER_CONFIG=$STATE/config DOCKER_BUILDKIT=1
    # The client of the engine's own package, before any other that the machine has.
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
}

start_private() {
    local missing=() program log
    [[ $EUID == 0 ]] || cannot 'no engine answers, and only root can start one'
    [[ -x $(command -v apt-get) ]] || cannot 'no engine answers, and packages of one can only be had from Debian'
    mkdir -p "$STATE/logs"
    use_private
    for program in dockerd:docker.io iptables:iptables mmdebstrap:mmdebstrap ip:iproute2; do
        [[ -n $(command -v "${program%:*}") ]] || missing+=("${program#*:}")
    done
    if ((${#missing[@]} > 0)); then
        (install_packages "${missing[@]}") || cannot "${missing[*]} cannot be installed"
    fi
    prepare_sources
    fetch_plugins >"$STATE/logs/plugins.log" 2>&1 || cannot "compose cannot be had from Debian's packages; see $STATE/logs/plugins.log"
    if alive "$STATE" engine && engine_ready; then return 0; fi
    clear_engine
    remember_machine
    LAUNCHED=1
    log=$STATE/logs/engine.log
    : >"$log"
    { launch_engine && await "$STATE" engine engine_ready; } || {
        clear_engine
        cannot "the engine does not start: $(grep -v 'level=info' "$log" | tail -n 1 | sed 's/.*msg=//' | cut -c -300)"
    }
}

# An engine that answers, with compose 2, is as good as ours.
given_engine() {
    [[ -n $(command -v docker) ]] && docker version >/dev/null 2>&1 && docker compose version >/dev/null 2>&1
}

find_engine() {
    PRIVATE='' LAUNCHED=''
    if [[ ${DOCKER_HOST:-} != "unix://$SHORT/docker.sock" ]] && given_engine; then
        say 'using the engine that this machine has'
    else
        phase 'engine' start_private
    fi
}

# unhook TABLE: rules and chains of an engine that is gone
unhook() {
    local rule chain
    while read -r rule; do
        # shellcheck disable=SC2086 # a rule is words
        iptables -t "$1" -D ${rule#-A } 2>/dev/null || true
    done < <(iptables -t "$1" -S 2>/dev/null | grep -E '^-A .*(DOCKER|docker0)' || true)
    for chain in $(iptables -t "$1" -S 2>/dev/null | sed -n 's/^-N \(DOCKER.*\)/\1/p'); do iptables -t "$1" -F "$chain" && iptables -t "$1" -X "$chain"; done
}

# clear_engine: ends it and takes back what it did to the machine
clear_engine() {
    local FORWARDING='' POLICY='' BRIDGE='' pid
    end_process "$STATE" engine TERM
    await_end "$STATE" engine
    # Shims of an engine that was killed outlive it, and hold its containers.
    for pid in $(engine_strays); do kill -KILL "$pid" 2>/dev/null || true; done
    rm -rf "$SHORT"
    [[ -s $STATE/before ]] || return 0
    # shellcheck source=/dev/null
    source "$STATE/before"
    if [[ -z $BRIDGE ]]; then
        unhook filter
        unhook nat
        [[ -z $POLICY ]] || iptables -P FORWARD "$POLICY"
        ! ip link show docker0 >/dev/null 2>&1 || ip link delete docker0
        # Folders that it makes wherever its own are; those in use stay.
        find /run/docker /run/containerd /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker -depth -type d -exec rmdir {} \; 2>/dev/null || true
    fi
    printf '%s' "$FORWARDING" >/proc/sys/net/ipv4/ip_forward
    rm -f "$STATE/before"
}

# Processes whose command line names our folder of sockets: containerd and its shims.
engine_strays() {
    local proc words
    for proc in /proc/[0-9]*; do
        { mapfile -d '' -t words <"$proc/cmdline"; } 2>/dev/null || continue
        [[ ${words[0]:-} == *containerd* && " ${words[*]} " == *" $SHORT/"* ]] && printf '%s\n' "${proc#/proc/}"
    done
    return 0
}

# ---------------------------------------------------------------- images

registry_answers() { timeout 20 docker manifest inspect "$1" >/dev/null 2>&1; }

have_image() { docker image inspect "$1" >/dev/null 2>&1; }

make_base() {
    # shellcheck disable=SC2016 # mmdebstrap's shell expands
    local certificates=(--customize-hook='mkdir -p "$1/usr/local/share/ca-certificates"')
    # A machine behind a gate that signs for others trusts it; what is built inside has to as well.
    # shellcheck disable=SC2016
    ! compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null ||
        certificates=(--customize-hook='copy-in /usr/local/share/ca-certificates /usr/local/share' --customize-hook='chroot "$1" update-ca-certificates')
    mmdebstrap --variant=minbase --include=ca-certificates,libssl3t64,tzdata --aptopt="$STATE/apt/acquire.conf" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "${certificates[@]}" trixie - "$STATE/apt/sources.list" 2>"$STATE/logs/base.log" </dev/null |
        docker import -c 'CMD ["bash"]' - stand-in/debian:13
}

# stand_in IMAGE DOCKERFILE CONTEXT: at no cost where nothing has changed
stand_in() {
    quietly "stand-in-$(tr -c '[:alnum:]\n' - <<<"$1")" docker build --label stand-in=yes -t "$1" -f "$ROOT/eng/stand-ins/$2" "$3"
}

make_services() {
    stand_in postgres:17 postgres/Dockerfile "$ROOT/eng/stand-ins/postgres"
    stand_in rabbitmq:4-management rabbitmq/Dockerfile "$ROOT/eng/stand-ins/rabbitmq"
}

make_dotnet() {
    local dotnet
    dotnet=$(command -v dotnet) || dotnet=~/.dotnet/dotnet
    dotnet=$(dirname -- "$(readlink -f -- "$dotnet")")
    [[ -d $dotnet/sdk ]] || cannot "no registry answers, and this machine's .NET, which a stand-in is made of, is not found"
    stand_in mcr.microsoft.com/dotnet/aspnet:10.0 dotnet/aspnet.Dockerfile "$dotnet"
    stand_in mcr.microsoft.com/dotnet/sdk:10.0 dotnet/sdk.Dockerfile "$dotnet"
}

# together COMMAND COMMAND: both at once; fails if one does. What they say arrives as it comes.
together() {
    local first status=0
    "$1" & first=$!
    ("$2") || status=$?
    wait "$first" || status=$?
    return "$status"
}

# choose_images: the official ones are fetched when they are used; stand-ins never get into an engine that is not ours.
choose_images() {
    STAND_INS=''
    if [[ -n $PRIVATE ]] && have_image stand-in/debian:13; then
        : # as before
    elif registry_answers "${OFFICIAL[0]}" && registry_answers "${OFFICIAL[3]}"; then
        say 'images: the official ones'
        return
    elif [[ -z $PRIVATE ]]; then
        cannot 'there is an engine, but no registry answers it'
    fi
    STAND_INS=' on stand-in images'
    say "no registry answers: stand-ins for ${OFFICIAL[*]}, of Debian 13's packages and this machine's .NET"
    have_image stand-in/debian:13 || phase 'stand-in base' quietly base make_base
}

# What the stack is made of, while the services' own images are made or fetched.
build_ours() {
    [[ -z $STAND_INS ]] || phase 'stand-in aspnet, sdk' make_dotnet
    phase "build of api, workers, cli$STAND_INS" quietly build compose build
}

build_services() {
    if [[ -n $STAND_INS ]]; then phase 'stand-in PostgreSQL, RabbitMQ' make_services; else phase 'fetching PostgreSQL, RabbitMQ' quietly pull compose pull -q postgres rabbitmq; fi
}

# ---------------------------------------------------------------- the stack

compose() { docker compose -p allocation-platform-check --project-directory "$ROOT" -f "$ROOT/docker-compose.yml" --env-file "$STATE/check.env" "$@"; }

write_settings() {
    # shellcheck disable=SC2034 # picked is pick_port's
    local api='' amqp='' picked=' '
    pick_port api
    pick_port amqp
    OPERATOR_KEY=$(secret)
    API=http://127.0.0.1:$api
    mkdir -p "$STATE/logs"
    (umask 077 && cat >"$STATE/check.env") <<-ENV
		PLATFORM_TAG=check
		POSTGRES_OWNER_PASSWORD=$(secret)
		POSTGRES_APPLICATION_PASSWORD=$(secret)
		RABBITMQ_PASSWORD=$(secret)
		OPERATOR_KEY=$OPERATOR_KEY
		KEY_PEPPER=$(secret)
		LOG_KEY=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
		WEBHOOK_KEY=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
		API_PORT=$api
		AMQP_PORT=$amqp
	ENV
}

# A file without its settings is refused, with the name of what is missing, instead of running on passwords that everybody knows.
check_refusal() {
    local said
    said=$(docker compose --project-directory "$ROOT" -f "$ROOT/docker-compose.yml" --env-file /dev/null config -q 2>&1) && die 'compose takes the stack without its passwords'
    [[ $said == *'is not set; see deploy/compose.env.example'* ]] || die "compose says of missing passwords: $said"
    docker compose --project-directory "$ROOT" -f "$ROOT/docker-compose.yml" --env-file "$STATE/check.env" --profile monitoring --profile cli config -q ||
        die 'compose does not take the stack with all profiles'
}

start_stack() {
    compose up --detach --wait --wait-timeout 240 --no-build >"$STATE/logs/up.log" 2>&1 </dev/null || {
        tail -n 15 "$STATE/logs/up.log" >&2
        compose ps --all >&2
        compose logs --tail 20 >&2
        die 'the stack does not get healthy'
    }
}

inspect() { docker inspect --format "$1" "$2"; }

check_containers() {
    local id name count=0
    [[ $(inspect '{{.State.ExitCode}}' "$(compose ps --all --quiet migrate)") == 0 ]] || die 'the migration failed'
    for id in $(compose ps --quiet postgres rabbitmq api workers); do
        name=$(inspect '{{.Name}}' "$id") name=${name#/allocation-platform-check-} count=$((count + 1))
        [[ $(inspect '{{.State.Health.Status}}' "$id") == healthy ]] || die "$name is not healthy"
        [[ $(inspect '{{.HostConfig.Memory}}' "$id") != 0 && $(inspect '{{.HostConfig.SecurityOpt}}' "$id") == *no-new-privileges* ]] || die "$name has no limits"
        case $name in
            api* | workers*)
                [[ $(docker exec "$id" id -u) != 0 ]] || die "$name runs as root"
                # The program's own rights, not only what a second one would get.
                [[ $(docker exec "$id" sed -n 's/^CapEff:\s*0*//p' /proc/1/status) == '' ]] || die "$name has capabilities"
                ! docker exec "$id" bash -c ': >/app/x || : >/home/x' 2>/dev/null || die "$name can write to its root file system"
                docker exec "$id" bash -c ': >/tmp/x' || die "$name cannot write to /tmp"
                docker exec "$id" bash -c "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3 && grep -q '^# TYPE ' <&3" ||
                    die "$name has no metrics"
                ;;
        esac
    done
    ((count == 5)) || die "$count containers of 5 run"
}

# http METHOD PATH KEY [BODY]: the answer's body; fails where the answer says no
http() {
    curl -q --noproxy '*' -sS --fail-with-body --max-time 30 -X "$1" -H "Authorization: Bearer $3" -H 'Content-Type: application/json' \
        -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" ${4:+--data-binary "$4"} "$API$2"
}

definition() {
    printf '{"displayName":"%s","objective":{"accuracyWeight":30.0,"maxUtilization":0.95},"arrivalRate":0.05,"taskTypes":[
        {"id":"math","share":1.0,"maxTokens":32768,"service":{"baseSeconds":0.4,"secondsPerToken":0.02},
         "accuracy":{"floor":0.2,"gain":0.6,"ratePerToken":0.001}}],"solving":{"everySeconds":1,"horizonSeconds":21600}}' "$1"
}

window() {
    printf '{"fleet":"chat","windowStart":"%(%FT%T.000Z)T","windowEnd":"%(%FT%T.000Z)T","tasks":[{"taskType":"math","arrivals":1,
        "service":{"completions":1,"tokens":800,"tokensSquared":640000,"tokensGranted":800,"millis":16400,"millisSquared":268960000,"tokenMillis":13120000},
        "accuracy":[{"tokens":800,"trials":1,"correct":1}]}]}' $((EPOCHSECONDS - 10)) "$EPOCHSECONDS"
}

# From an operator's key to a snapshot that has learned from a window: API, broker, worker, database, and back.
check_road() {
    local key answer deadline=$((SECONDS + 60))
    key=$(http POST /v1/tenants "$OPERATOR_KEY" '{"id":"acme","displayName":"Acme"}' | sed -n 's/.*"apiKey":"\([^"]*\)".*/\1/p')
    [[ -n $key ]] || die 'no tenant could be registered'
    http PUT /v1/fleets/chat "$key" "$(definition Chat)" >/dev/null || die 'no fleet could be registered'
    http POST /v1/fleets/chat/statistics "$key" "$(TZ=UTC window)" >/dev/null || die 'a window was not taken'
    until answer=$(http GET /v1/fleets/chat "$key") && [[ $answer =~ \"solvedWorkloadVersion\":[1-9] ]]; do
        ((SECONDS < deadline)) || die "no solve has the window: $answer"
        sleep 0.5
    done
    # One window may change nothing that matters; a revision is solved in any case, with what is known by then.
    http PUT /v1/fleets/chat "$key" "$(definition Revised)" >/dev/null
    until answer=$(http GET /v1/fleets/chat/allocation "$key" 2>/dev/null) && [[ $answer =~ \"workloadVersion\":[1-9] ]]; do
        ((SECONDS < deadline)) || die "no snapshot has the window: $answer"
        sleep 0.5
    done
    [[ $answer =~ \"version\":([0-9]+) ]] && say "version ${BASH_REMATCH[1]} of acme/chat is served, learned from the window"
}

# The main job, start to finish, on the stack as it runs.
check_demo() {
    local log=$STATE/logs/demo.log
    compose run --rm --no-deps -T cli demo --seconds 10 >"$log" 2>&1 </dev/null || { tail -n 60 "$log" >&2; die 'the demo says no'; }
    say "$(grep -m 1 'served and published' "$log")"
}

# The command line's image on the same data: every snapshot follows from the events.
check_verify() {
    compose run --rm --no-deps -T cli verify >"$STATE/logs/verify.log" 2>&1 </dev/null || { cat "$STATE/logs/verify.log" >&2; die 'verify says no'; }
    say "$(tail -n 1 "$STATE/logs/verify.log")"
}

check_stop() {
    local id ids begun=${EPOCHREALTIME/[.,]/} took
    ids=$(compose ps --quiet api workers)
    compose stop api workers >"$STATE/logs/stop.log" 2>&1
    took=$(((${EPOCHREALTIME/[.,]/} - begun) / 1000))
    ((took <= 10000)) || die "API and workers took $took ms to stop"
    for id in $ids; do
        [[ $(inspect '{{.State.ExitCode}}' "$id") == 0 ]] || die "$(inspect '{{.Name}}' "$id") ended with $(inspect '{{.State.ExitCode}}' "$id")"
    done
}

remove_stack() { [[ ! -s $STATE/check.env ]] || compose --profile cli down --volumes --remove-orphans --timeout 15 >"$STATE/logs/remove.log" 2>&1 </dev/null || true; }

# ---------------------------------------------------------------- commands

at_exit() {
    local status=$?
    trap '' INT TERM HUP
    [[ -z $CLEAN_UP ]] || "$CLEAN_UP"
    exit "$status"
}

CLEAN_UP=''
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# end_check: a check leaves nothing but the images for the next one
end_check() {
    remove_stack
    rm -f "$STATE/check.env"
    [[ -z $LAUNCHED ]] || clear_engine
}

cmd_check() {
    local begun=$SECONDS
    CLEAN_UP=end_check LAUNCHED=''
    need curl
    write_settings
    find_engine
    remove_stack
    choose_images
    check_refusal
    together build_services build_ours
    phase 'up --wait, from nothing' start_stack
    phase 'containers' check_containers
    phase 'tenant, fleet, window, snapshot' check_road
    phase 'demo' check_demo
    phase 'verify' check_verify
    phase 'stop of api and workers' check_stop
    phase 'removal' remove_stack
    say "the container stack works$STAND_INS: $((SECONDS - begun)) s"
}

cmd_engine() {
    CLEAN_UP=end_engine
    find_engine
    choose_images
    build_services_alone
    CLEAN_UP=''
    printf 'export DOCKER_HOST=%q\n' "${DOCKER_HOST:-unix:///var/run/docker.sock}"
    [[ -z $PRIVATE ]] || printf 'export DOCKER_CONFIG=%q\n' "$DOCKER_CONFIG"
    # Testcontainers does not agree on a version with an engine this old, and has no image of its reaper here.
    [[ -z $PRIVATE ]] || printf 'export DOCKER_API_VERSION=1.41 TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1\n'
}

# end_engine: one that is not whole is of no use
end_engine() { [[ -z $LAUNCHED ]] || clear_engine; }

build_services_alone() { [[ -z $STAND_INS ]] || phase 'stand-in PostgreSQL, RabbitMQ' make_services; }

cmd_down() {
    [[ -d $STATE ]] || return 0
    use_private
    if alive "$STATE" engine && engine_ready; then
        remove_stack
        # What Testcontainers could not take away, or somebody started.
        docker ps -aq | xargs -r docker rm -fv >/dev/null
        docker network prune -f >/dev/null
        docker volume prune -f >/dev/null
    fi
    clear_engine
}

cmd_purge() {
    cmd_down
    rm -rf "$STATE"
}

[[ $# -le 1 ]] || die "one command, not '$*'" 2
case ${1:-check} in
    -h | --help | help) usage; exit ;;
    check | engine | down | purge) lock "$STATE"; "cmd_${1:-check}" ;;
    *) die "unknown command '$1'; eng/containers.sh --help lists them" 2 ;;
esac
