# shellcheck shell=bash
# Containers and volumes of a project, by the labels that both Composes put on them. Sourced behind
# lib.sh by deploy/backup and deploy/restore.
# shellcheck disable=SC2154 # lib.sh sets `environment`

container_or_none() { # SERVICE
    docker ps --all --quiet --filter "label=com.docker.compose.project=$(project)" \
        --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False | head -n 1
}

container() { # SERVICE
    local found
    found=$(container_or_none "$1")
    [ -n "$found" ] || fail "the project $(project) has no container of $1" "deploy/up $environment makes it"
    printf '%s' "$found"
}

is_running() { [ "$(docker inspect --format '{{ .State.Running }}' "$1")" = true ]; } # CONTAINER

running_container() { # SERVICE
    local found
    # Inside of $(…) bash goes on after a failure.
    found=$(container "$1") || exit
    is_running "$found" || fail "the container of $1 is stopped" "start it with deploy/up $environment, and try again"
    printf '%s' "$found"
}

volume() { # NAME
    local found
    found=$(docker volume ls --quiet --filter "label=com.docker.compose.project=$(project)" \
        --filter "label=com.docker.compose.volume=$1" | head -n 1)
    [ -n "$found" ] || fail "the project $(project) has no volume $1" "deploy/up $environment makes it"
    printf '%s' "$found"
}

image_of() { docker inspect --format '{{ .Image }}' "$1"; } # CONTAINER

# in_volume VOLUME ro|rw SCRIPT [IMAGE]: a script in a container of its own that sees the volume at
# /volume and no network. It runs as root, since each volume has another owner, with what that takes.
in_volume() {
    docker run --rm --interactive --network none --read-only --tmpfs /tmp:size=16m --user 0:0 --cap-drop ALL \
        --cap-add DAC_OVERRIDE --cap-add CHOWN --cap-add FOWNER --security-opt no-new-privileges:true \
        --volume "$1:/volume:$2" --entrypoint sh "${4:-$(image_of "$postgres")}" -euc "$3"
}

size_of() { du --apparent-size --human-readable "$1" | cut -f 1; } # FILE
