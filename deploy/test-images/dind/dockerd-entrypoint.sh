#!/bin/sh
# As the real image's: without a command, or with flags alone, the engine; on TCP with TLS and client
# certificates where DOCKER_TLS_CERTDIR names a folder, in the clear where it is empty.
set -eu

# CA, server and client certificates, where the real image has them.
certificates() { # FOLDER
    mkdir -p "$1/ca" "$1/server" "$1/client"
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj '/CN=docker:dind CA' \
        -keyout "$1/ca/key.pem" -out "$1/ca/cert.pem" 2>/dev/null
    one "$1" server "subjectAltName = DNS:$(hostname), DNS:docker, DNS:localhost, IP:127.0.0.1, ${DOCKER_TLS_SAN:-DNS:dind}"
    one "$1" client 'extendedKeyUsage = clientAuth'
}

one() { # FOLDER WHICH EXTENSION
    openssl req -newkey rsa:2048 -nodes -subj "/CN=docker:dind $2" -keyout "$1/$2/key.pem" -out "$1/$2/csr.pem" 2>/dev/null
    printf '%s\n' "$3" >"$1/$2/extensions"
    openssl x509 -req -in "$1/$2/csr.pem" -CA "$1/ca/cert.pem" -CAkey "$1/ca/key.pem" -days 365 \
        -extfile "$1/$2/extensions" -out "$1/$2/cert.pem" 2>/dev/null
    cp "$1/ca/cert.pem" "$1/$2/ca.pem"
    rm "$1/$2/csr.pem" "$1/$2/extensions"
}

if [ $# = 0 ] || [ "${1#-}" != "$1" ]; then
    if [ -n "${DOCKER_TLS_CERTDIR:-}" ]; then
        certificates "$DOCKER_TLS_CERTDIR"
        port=2376
        set -- --host=tcp://0.0.0.0:2376 --tlsverify \
            --tlscacert "$DOCKER_TLS_CERTDIR/server/ca.pem" \
            --tlscert "$DOCKER_TLS_CERTDIR/server/cert.pem" \
            --tlskey "$DOCKER_TLS_CERTDIR/server/key.pem" "$@"
    else
        port=2375
        set -- --host=tcp://0.0.0.0:2375 --tls=false "$@"
    fi
    set -- --host="unix://$XDG_RUNTIME_DIR/docker.sock" "$@"
    set -- dockerd-rootless.sh "$@"
    export DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS="-p 0.0.0.0:$port:$port/tcp ${DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS:-}"
    exec tini -- "$@"
fi
exec "$@"
