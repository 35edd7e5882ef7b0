#!/bin/bash
# Lays the wheels of requirements.lock ready in build/wheels, checked by their hashes, for an image that is built
# where no package index is reached. Python 3.11 on Linux; the index is the one that this machine's pip is set to.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
"${PYTHON:-$root/.venv/bin/python}" -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
    --only-binary=:all: --dest "$root/build/wheels" --requirement "$root/requirements.lock"
