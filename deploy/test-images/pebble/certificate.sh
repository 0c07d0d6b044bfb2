#!/bin/sh
# The certificate of pebble's own listener, and the root that clients trust for it.
set -eu
cd "$1"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj '/CN=root of the test image pebble' -keyout ca.key -out ca.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj '/CN=pebble' -keyout key.pem -out request.pem
printf 'subjectAltName = DNS:pebble, DNS:localhost, IP:127.0.0.1\n' >extensions
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 3650 -extfile extensions -out cert.pem
rm ca.key request.pem extensions
chmod 644 key.pem
