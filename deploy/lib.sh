# shellcheck shell=bash
# What the scripts of this folder share: how they fail, which Compose there is, and which files belong
# to an environment. They source it after `set -euo pipefail`.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# What a script is called in its messages.
self=deploy/$(basename "$0")

# fail WHAT [WHAT-TO-DO]...: one line that says what and where, and further ones that say what to do.
fail() {
    printf '%s: %s\n' "$self" "$1" >&2
    shift
    local line
    for line; do printf '    %s\n' "$line" >&2; done
    exit 1
}

say() { printf '%s\n' "$*"; }

has() { command -v "$1" >/dev/null 2>&1; }

# Sets `environment`, and ends the script where ENV is none.
choose_environment() { # ENV
    case ${1:-} in
    dev | uat | prod) environment=$1 ;;
    '') fail "which environment?" "name one of dev, uat, prod: $self uat" ;;
    *) fail "there is no environment '$1'" "name one of dev, uat, prod: $self uat" ;;
    esac
    env_file=$here/env/$environment.env
    # shellcheck disable=SC2034 # read by the scripts that source this file
    secrets=$here/secrets/$environment
    state=$here/state/$environment
}

# The value of a variable of the env file, without the quotes around it; the second word where the
# file does not say.
setting() { # NAME [DEFAULT]
    local line
    line=$(grep -E "^$1=" "$env_file" 2>/dev/null | tail -n 1 || true)
    if [ -z "$line" ]; then
        printf '%s' "${2:-}"
        return
    fi
    line=${line#*=}
    line=${line%$'\r'}
    case $line in
    \"*\") line=${line#\"} line=${line%\"} ;;
    \'*\') line=${line#\'} line=${line%\'} ;;
    esac
    printf '%s' "$line"
}

project() { setting COMPOSE_PROJECT_NAME "familycart-$environment"; }

# The parts besides the application, of which `deploy/up --without` leaves some out.
all_parts() {
    local part
    for part in monitoring runners; do
        [ ! -f "$here/docker-compose.$part.yml" ] || printf '%s\n' "$part"
    done
}

# The parts that the last `deploy/up` started, or all of them before the first.
parts() {
    if [ -f "$state/parts" ]; then cat "$state/parts"; else all_parts; fi
}

# Sets `compose_files`: the -f arguments of the environment, with the parts that are named.
files_of() { # PART...
    local part
    compose_files=(-f "$here/docker-compose.uat.yml")
    [ "$environment" = uat ] || compose_files+=(-f "$here/docker-compose.$environment.yml")
    for part; do compose_files+=(-f "$here/docker-compose.$part.yml"); done
    # Anything of one's own, such as other mounts. It is the last, so it has the last word.
    local own=$here/docker-compose.local.yml
    [ ! -f "$own" ] || compose_files+=(-f "$own")
}

# Sets `compose_command`: Compose v2 where Docker has it, otherwise docker-compose 1.29.
find_compose() {
    [ -z "${compose_command:-}" ] || return 0
    has docker || fail "docker is not installed" \
        "install Docker Engine from Docker's own repository: docs/deploy-first.md shows how"
    if docker compose version >/dev/null 2>&1; then
        compose_command=(docker compose)
        # What docker-compose 1.29 cannot ask for: docker-compose.runners.yml says what it is.
        export RUNNER_DOCKER_PROC=${RUNNER_DOCKER_PROC:-systempaths=unconfined}
    elif has docker-compose; then
        compose_command=(docker-compose)
    else
        fail "neither 'docker compose' nor 'docker-compose' is installed" \
            "install the package docker-compose-plugin of Docker's own repository"
    fi
}

need_engine() {
    find_compose
    docker info >/dev/null 2>&1 || fail "no Docker Engine answers" \
        "start it with 'systemctl start docker', and run this as root or as a member of the group docker"
}

# compose ENV ARGUMENT...: Compose with the files, the env file and the project of an environment.
# What the env file says counts, and not a variable of the same name that happens to be in the shell.
compose() {
    choose_environment "$1"
    shift
    find_compose
    local wanted name unset_names=()
    mapfile -t wanted < <(parts)
    files_of "${wanted[@]}"
    [ -f "$env_file" ] || fail "$env_file is missing" \
        "cp deploy/env/$environment.env.example deploy/env/$environment.env, and say in it what is yours"
    while read -r name; do unset_names+=(-u "$name"); done \
        < <(sed -nE 's/^([A-Za-z_][A-Za-z0-9_]*)=.*/\1/p' "$env_file")
    env "${unset_names[@]}" ENVIRONMENT="$environment" COMPOSE_HTTP_TIMEOUT=120 \
        "${compose_command[@]}" --project-directory "$here" --env-file "$env_file" \
        --project-name "$(project)" "${compose_files[@]}" "$@"
}

# The secrets that the Compose files name, a line each.
secrets_wanted() { # PARTS
    local parts
    mapfile -t parts < <(printf '%s\n' "$1" | sed '/^$/d')
    files_of "${parts[@]}"
    local file name
    for file in "${compose_files[@]}"; do
        [ "$file" = -f ] || sed -nE 's|^ *file: .*\./secrets/\$\{ENVIRONMENT:-uat\}/([^"]+)"? *$|\1|p' "$file"
    done | sort -u | while read -r name; do
        # The name itself may be a variable's: ${GITHUB_SECRET:-github_token}.
        if [[ $name =~ ^\$\{([A-Z_]+):-([a-z_]+)\}$ ]]; then
            setting "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
            echo
        else
            printf '%s\n' "$name"
        fi
    done | sort -u
}

# Whether a secret comes from elsewhere, so that chance cannot make it.
is_yours() { # NAME
    case $1 in github_token | github_app_key | alertmanager_webhook_url) return 0 ;; *) return 1 ;; esac
}

# The container of a service, empty where there is none.
container_of() { # SERVICE
    docker ps -aq --filter "label=com.docker.compose.project=$(project)" \
        --filter "label=com.docker.compose.service=$1" | head -n 1
}

# "running healthy", "restarting unhealthy", "exited -", or "missing -".
state_of() { # SERVICE
    local container
    container=$(container_of "$1")
    if [ -z "$container" ]; then
        printf 'missing -\n'
        return
    fi
    docker inspect --format '{{ .State.Status }} {{ if .State.Health }}{{ .State.Health.Status }}{{ else }}-{{ end }}' \
        "$container" 2>/dev/null || printf 'missing -\n'
}

# The address of a container in one of the project's networks, as the host reaches it.
address_in() { # CONTAINER NETWORK
    docker inspect --format "{{ with index .NetworkSettings.Networks \"$(project)_$2\" }}{{ .IPAddress }}{{ end }}" "$1"
}

# Asks a service on its own address, from the host, with nothing but bash: prints the answer's body, and
# fails where there is none or its status is not 2xx. A header holds what no argument may.
http_get() { # ADDRESS PORT PATH [HEADER]
    local answer
    # shellcheck disable=SC2016 # the variables are those of the inner shell
    answer=$(GET_HEADER=${4:-} timeout 10 bash -c '
        exec 3<>"/dev/tcp/$1/$2" || exit 1
        printf "GET %s HTTP/1.0\r\nHost: %s\r\n%s\r\n" "$3" "$1" "${GET_HEADER:+$GET_HEADER$'"'\\r\\n'"'}" >&3
        cat <&3' http_get "$1" "$2" "$3" 2>/dev/null | tr -d '\000\r') || return 1
    case $answer in
    HTTP/1.?\ 2*) sed '1,/^$/d' <<<"$answer" ;;
    *) return 1 ;;
    esac
}

# A string of JSON.
json_string() {
    local text=$1
    text=${text//\\/\\\\}
    text=${text//\"/\\\"}
    text=${text//$'\n'/\\n}
    text=${text//$'\t'/ }
    printf '"%s"' "$text"
}
