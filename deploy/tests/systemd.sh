#!/bin/bash
# Runs in the machine that `.ci/emulated systemd` makes: does what docs/deploy-systemd.md says, and looks
# at what comes of it. Its last line is `ended with 0` where all is as it should be.
set -uo pipefail

failed=0
is() { # WHAT WANTED FOUND
    if [ "$2" = "$3" ]; then
        echo "ok    $1: $3"
    else
        echo "WRONG $1: $3, and not $2"
        failed=1
    fi
}
ask() { curl --silent --show-error --max-time 60 --cacert /root.crt "https://localhost$1"; }
until_ready() {
    for _ in $(seq 300); do
        /usr/local/bin/gateway healthcheck >/dev/null 2>&1 && return
        read -r -t 0.2 < <(:) || :
    done
}

ip link set lo up
echo secret-of-a-webhook >/etc/gateway/webhook
chmod 0600 /etc/gateway/webhook
sed -i 's|^#LoadCredential=.*|LoadCredential=github_webhook:/etc/gateway/webhook|' \
    /etc/systemd/system/gateway.service
cat >>/etc/gateway/gateway.toml <<'TOML'

[site."hooks.localhost"]
tls    = "self-signed"
routes = [{ path = "/github", to = "127.0.0.1:9000",
  webhook = { provider = "github", secrets = [{ file = "/run/credentials/gateway.service/github_webhook" }] } }]
TOML

systemctl daemon-reload
systemctl start gateway
until_ready
is 'after the start' active "$(systemctl is-active gateway)"
cp /var/lib/gateway/local-ca/root.crt /root.crt
is 'over TLS' ok "$(ask /health)"
is 'on port 80' 308 "$(curl --silent --output /dev/null --write-out '%{http_code}' http://localhost/)"
is 'an unsigned delivery' 401 "$(curl --silent --cacert /root.crt --output /dev/null --write-out '%{http_code}' \
    --resolve hooks.localhost:443:127.0.0.1 --data x https://hooks.localhost/github)"

process=$(systemctl show --property MainPID --value gateway)
# systemd takes users that exist only for a while from these.
user=$(stat --format %u "/proc/$process")
is 'its user' 'one of its own' "$([ "$user" -ge 61184 ] && [ "$user" -le 65519 ] && echo 'one of its own')"
is 'its capabilities' 0000000000000400 "$(sed -n 's/^CapBnd:\t//p' "/proc/$process/status")"
is 'new privileges' 1 "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$process/status")"
is 'filtered system calls' 2 "$(sed -n 's/^Seccomp:\t//p' "/proc/$process/status")"
is 'open files' 65536 "$(sed -n 's/^Max open files *\([0-9]*\) .*/\1/p' "/proc/$process/limits")"
is 'the storage' 'drwx------' "$(stat --format %A --dereference /var/lib/gateway/)"

sed -i 's/body = "ok\\n"/body = "changed\\n"/' /etc/gateway/gateway.toml
systemctl reload gateway
is 'the reload' 0 $?
is 'after the reload' changed "$(ask /health)"
is 'the process' "$process" "$(systemctl show --property MainPID --value gateway)"

cp /etc/gateway/gateway.toml /good.toml
echo 'rout = 1' >>/etc/gateway/gateway.toml
systemctl reload gateway 2>/dev/null
is 'the reload of a broken file' 1 $?
is 'after it' changed "$(ask /health)"
is 'what the journal says of it' 'error[unknown-key]' \
    "$(journalctl --unit gateway --output cat | grep --only-matching 'error\[unknown-key\]' | sort -u)"
cp /good.toml /etc/gateway/gateway.toml

kill -KILL "$process"
until_ready
is 'after a kill' changed "$(ask /health)"
systemctl stop gateway
is 'the stop' success "$(systemctl show --property Result --value gateway)"
echo 'rout = 1' >>/etc/gateway/gateway.toml
systemctl start gateway 2>/dev/null
is 'the start with a broken file' 1 $?

[ $failed = 0 ] || journalctl --unit gateway --no-pager | tail -n 40
echo "ended with $failed"
