# shellcheck shell=bash
# How a stack is started, watched and written down. deploy/up and deploy/rollback do the same with
# different files; both source lib.sh before this, which sets what is not set here.
# shellcheck disable=SC2154

# What Compose makes of the files, asked once for each parts: every question costs it a second.
merged() {
    local wanted
    wanted=$(parts | tr '\n' ' ')
    if [ "${merged_for:-none}" != "$wanted" ]; then
        mkdir -p "$state"
        compose "$environment" config >"$state/compose.yml"
        merged_for=$wanted
    fi
}

# "SERVICE IMAGE" of all services that are to run: docker-compose 1.29 names those of other profiles too.
images() {
    awk -v enabled=",$(setting COMPOSE_PROFILES)," '
        function flush() { if (name != "" && image != "" && !left_out) print name, image; name = image = ""; left_out = 0 }
        /^[^ ]/ { flush(); inside = ($1 == "services:"); next }
        !inside { next }
        /^  [^ ]/ { flush(); name = $1; sub(":$", "", name); in_profiles = 0; next }
        /^    [^ -]/ { in_profiles = ($1 == "profiles:") }
        in_profiles && $1 == "-" { left_out = !index(enabled, "," $2 ",") }
        /^    image:/ { image = $2; gsub("\"", "", image) }
        END { flush() }' "$state/compose.yml" | sort
}

image_of() { images | awk -v service="$1" '$1 == service { print $2 }'; } # SERVICE

services() { images | cut -d ' ' -f 1; }

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

# The folder whose Dockerfile makes what a service runs by default. Somebody who names another image
# wants that one and no other.
source_of() { # SERVICE IMAGE
    case $1:$2 in
    gateway:gateway:*) printf 'image' ;;
    frontend:reference-frontend:*) printf 'app/frontend' ;;
    backend:reference-backend:*) printf 'app/backend' ;;
    *:reference-runner*) printf 'runners/make-images' ;;
    esac
}

bring_images() {
    merged
    local service image from done_already=' '
    while read -r service image; do
        case $done_already in *" $image "*) continue ;; esac
        done_already="$done_already$image "
        if has_image "$image"; then continue; fi
        from=$(source_of "$service" "$image")
        if [ "$from" = image ] && [ -x "$here/image" ]; then
            say "   $image is built: deploy/image"
            "$here/image" --tag "$image"
        elif [ "$from" = runners/make-images ]; then
            say "   $image is built: deploy/$from"
            "$here/$from"
        elif [ -n "$from" ] && [ -f "$here/$from/Dockerfile" ]; then
            say "   $image is built: deploy/$from"
            docker build --tag "$image" "$here/$from"
        else
            say "   $image is pulled"
            docker pull --quiet "$image" >/dev/null || fail "the image $image of the service $service cannot be had" \
                "is its name right in $env_file, and can this machine reach the registry? 'docker pull $image' says more" \
                "for a private registry: docker login"
        fi
    done < <(images)
}

# The gateway that will serve the file judges it, beside what Compose makes of all files: a part that is
# left out is still named by the routes that lead to it.
check_gateway() {
    local all=$state/compose.all.yml
    merged
    (
        # shellcheck disable=SC2317 # compose calls it
        parts() { all_parts; }
        compose "$environment" config
    ) >"$all"
    docker run --rm --network none --read-only --cap-drop ALL \
        -v "$here/gateway/$environment:/etc/gateway:ro" -v "$all:/etc/compose.yml:ro" \
        "$(image_of gateway)" check-config /etc/gateway/gateway.toml --compose /etc/compose.yml >/dev/null ||
        fail "deploy/gateway/$environment/gateway.toml has errors, and nothing was started" \
            "the lines above say where; correct them and run this again"
}

# What a container has from this folder: its mounted files, as one word. A change of it is not seen by
# Compose, which looks at names only.
mounted() { # CONTAINER
    # In an order of our own: Docker lists mounts in any.
    docker inspect --format '{{ range .Mounts }}{{ if eq .Type "bind" }}{{ .Source }}{{ "\n" }}{{ end }}{{ end }}' "$1" |
        { grep -F "$here/" || true; } | { grep -vF "$here/state" || true; } | sort | while read -r source; do
        find "$source" -type f -print0 2>/dev/null | sort -z | xargs -0 -r sha256sum
    done | sha256sum | cut -c 1-32
}

# Tells services whose files have changed while their containers stayed. The gateway reads them again
# without losing anybody; others are started again.
heed_changed_files() {
    local service container now before
    mkdir -p "$state/mounted"
    for service in $(services); do
        container=$(container_of "$service")
        [ -n "$container" ] || continue
        now="$container $(mounted "$container")"
        before=$(cat "$state/mounted/$service" 2>/dev/null || true)
        if [ -n "$before" ] && [ "$now" != "$before" ] && [ "${before%% *}" = "$container" ]; then
            if [ "$service" = gateway ]; then
                say "   gateway reads its files again"
                docker exec "$container" /gateway reload --config /etc/gateway/gateway.toml | sed 's/^/      /' ||
                    fail "the gateway did not take its new configuration, and serves the one before" \
                        "what it says stands above"
            else
                say "   $service is started again, as its files have changed"
                docker restart --time 60 "$container" >/dev/null
            fi
        fi
        printf '%s\n' "$now" >"$state/mounted/$service"
    done
}

# The last lines of a service that is not well, and what its health check said.
tell_about() { # SERVICE
    local container
    container=$(container_of "$1")
    printf '\n%s is not healthy (%s)\n' "$1" "$(state_of "$1")" >&2
    if [ -z "$container" ]; then
        printf '    it has no container: see what Compose says above\n' >&2
        return
    fi
    docker inspect --format '{{ if .State.Health }}{{ range .State.Health.Log }}{{ .Output }}{{ "\n" }}{{ end }}{{ end }}' \
        "$container" | sed '/^[[:space:]]*$/d' | tail -n 1 | cut -c 1-300 | sed 's/^/    its health check says: /' >&2
    printf '    its last lines:\n' >&2
    docker logs --tail 12 "$container" 2>&1 | cut -c 1-300 | sed 's/^/        /' >&2
}

# Services that are not healthy yet, each with its state.
awaited() {
    local service now
    for service in $1; do
        now=$(state_of "$service")
        case $now in 'running healthy' | 'running -') ;; *) printf '%s (%s)\n' "$service" "${now% -}" ;; esac
    done
}

# Whether the service's container is another one than its files describe now. Compose keeps what it
# made the container from as a hash, in which v2 has no image.
has_changed() { # SERVICE CONTAINER
    local hash image
    hash=$(compose "$environment" config --hash "$1" 2>/dev/null | awk '{ print $2 }')
    [ "$hash" = "$(docker inspect --format '{{ index .Config.Labels "com.docker.compose.config-hash" }}' "$2")" ] || return 0
    image=$(docker image inspect --format '{{ .Id }}' "$(image_of "$1")" 2>/dev/null || true)
    [ "$image" != "$(docker inspect --format '{{ .Image }}' "$2")" ]
}

# Puts a new backend beside the old one, and takes the old one away when the new one is healthy and the
# gateway knows it: nobody's request finds none. Where the new one never is, the old one goes on.
change_backend() { # SECONDS [always]
    local old new until=$((SECONDS + $1))
    old=$(container_of backend)
    [ -n "$old" ] && [ "$(state_of backend)" = 'running healthy' ] || return 0
    [ "${2:-}" = always ] || has_changed backend "$old" || return 0
    say "   a new backend is started beside the old one"
    compose "$environment" up -d --no-deps --no-recreate --no-build --scale backend=2 backend >"$state/compose.log" 2>&1 </dev/null || {
        tail -n 15 "$state/compose.log" | sed 's/^/    /' >&2
    }
    new=$(container_of backend)
    if [ "$new" = "$old" ]; then
        printf '\nno second backend could be started; the old one goes on\n' >&2
        return 1
    fi
    until [ "$(docker inspect --format '{{ .State.Health.Status }}' "$new" 2>/dev/null)" = healthy ]; do
        if [ $SECONDS -ge $until ]; then
            tell_about backend
            docker rm --force "$new" >/dev/null
            printf '    it was removed again, and the old one goes on serving\n' >&2
            return 1
        fi
        sleep 1
    done
    # The gateway asks for a name's addresses every five seconds at most.
    sleep 6
    docker stop --time 35 "$old" >/dev/null
    docker rm "$old" >/dev/null
    say "   the old one is gone, after $SECONDS s"
}

start_and_wait() { # SECONDS
    local until=$((SECONDS + $1)) output=$state/compose.log wanted compose_pid left shown='' now
    change_backend "$1" "${renew_backend:-}" || return 1
    wanted=$(services)
    : >"$output"
    compose "$environment" up -d --remove-orphans --no-build >"$output" 2>&1 </dev/null &
    compose_pid=$!
    local compose_status=
    while :; do
        if [ -z "$compose_status" ] && ! kill -0 "$compose_pid" 2>/dev/null; then
            compose_status=0
            wait "$compose_pid" || compose_status=$?
            [ "$compose_status" != 0 ] || heed_changed_files
        fi
        left=$(awaited "$wanted")
        now=$(printf '%s' "$left" | tr '\n' ',' | sed 's/,/, /g; s/, $//')
        if [ "$now" != "$shown" ] && [ -n "$now" ]; then
            printf '   %3d s  waiting for %s\n' "$SECONDS" "$now"
            shown=$now
        fi
        if [ "$compose_status" = 0 ] && [ -z "$left" ]; then
            say "   every service is healthy, after $SECONDS s"
            return 0
        fi
        if [ -n "$compose_status" ] && [ "$compose_status" != 0 ]; then
            printf '\nCompose says:\n' >&2
            grep -vE '^(Creating|Recreating|Starting|Stopping|Removing) .*(done|\.\.\. *)$' "$output" | tail -n 15 | sed 's/^/    /' >&2
            break
        fi
        [ $SECONDS -lt $until ] || break
        sleep 1
    done
    # Compose may still wait for a dependency that will never be well.
    kill "$compose_pid" 2>/dev/null || true
    wait "$compose_pid" 2>/dev/null || true
    for service in $wanted; do
        case $(state_of "$service") in 'running healthy' | 'running -') ;; *) tell_about "$service" ;; esac
    done
    return 1
}

# A run: the images and files of one `up`, kept for a rollback.
begin_run() {
    run=$state/runs/$(date -u +%Y%m%dT%H%M%SZ)
    while [ -e "$run" ]; do run=${run}x; done
    mkdir -p "$run"
    (cd "$here" && git rev-parse HEAD 2>/dev/null || echo unknown) >"$run/revision"
    cp "$state/parts" "$run/parts"
    keep_files "$run/files.tar"
    local service image id kept
    kept=$(project)-kept
    while read -r service image; do
        id=$(docker image inspect --format '{{ .Id }}' "$image" 2>/dev/null) || continue
        # A name of its own, so that neither a new image of the same name nor a prune takes it away.
        docker tag "$id" "$kept/$service:$(basename "$run")"
        printf '%s %s %s %s\n' "$service" "$image" "$id" "$kept/$service:$(basename "$run")"
    done < <(images) >"$run/images"
}

end_run() { # healthy|failed
    printf '%s\n' "$1" >"$run/result"
    forget_old_runs
}

# What decides how the stack runs, without secrets and data: Compose files, the env file, and what is
# mounted from here.
keep_files() { # TAR
    local names=("env/$environment.env")
    local name
    for name in "$here"/docker-compose.*.yml "$here/gateway/$environment" "$here"/{postgres,redis,monitoring,runners}; do
        [ ! -e "$name" ] || names+=("${name#"$here"/}")
    done
    tar -C "$here" -cf "$1" --exclude=tests --exclude=__pycache__ "${names[@]}"
}

# The last five healthy runs and whatever came after them are kept, with their images.
forget_old_runs() {
    local healthy=0 folder
    for folder in $(find "$state/runs" -mindepth 1 -maxdepth 1 -type d | sort -r); do
        if [ "$healthy" -ge 5 ]; then
            awk '{ print $4 }' "$folder/images" | xargs -r -n 1 docker rmi >/dev/null 2>&1 || true
            rm -rf "$folder"
        elif [ "$(cat "$folder/result" 2>/dev/null)" = healthy ]; then
            healthy=$((healthy + 1))
        fi
    done
}

# ":8443" where the host publishes another port than a browser asks for.
port_behind_host() {
    local port
    port=$(setting HTTPS_PORT 443)
    port=${port##*:}
    [ "$port" = 443 ] || printf ':%s' "$port"
}

# Asks Prometheus for an expression, and prints a line of labels and value for each series.
query() { # EXPRESSION
    local container address answer
    container=$(container_of prometheus)
    [ -n "$container" ] || return 1
    address=$(address_in "$container" monitoring)
    answer=$(http_get "$address" 9090 "/api/v1/query?query=$(url_encoded "$1")") || return 1
    grep -oE '"metric":\{[^}]*\},"value":\[[^]]*\]' <<<"$answer" |
        sed -E 's/"metric":\{(.*)\},"value":\[[^,]*,"(.*)"\]/\1 \2/' || true
}

url_encoded() {
    local text=$1 out='' char i
    for ((i = 0; i < ${#text}; i++)); do
        char=${text:i:1}
        case $char in
        [a-zA-Z0-9._~-]) out+=$char ;;
        *) printf -v char '%%%02X' "'$char" && out+=$char ;;
        esac
    done
    printf '%s' "$out"
}

label() { # NAME, of the line on standard input
    sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p"
}

# A line for each alert that fires, but the one that fires for as long as all is well.
firing_alerts() {
    local series line
    series=$(query 'ALERTS{alertstate="firing",alertname!="Watchdog"}') || return 1
    while read -r line; do
        [ -n "$line" ] || continue
        printf '%s%s\n' "$(label alertname <<<"$line")" "$(label instance <<<"$line" | sed 's/^/ on /')"
    done <<<"$series" | sort -u
}
