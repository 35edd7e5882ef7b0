#!/bin/bash
# docker compose with a court's own answers, which stand in court.compose.env: `deploy/compose.sh up --build --detach`.
# They come before those of .env, and each command is given the same ones, with either release of Compose.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ ! -e court.compose.env ]; then
    echo "缺少 court.compose.env：请把 deploy/court.compose.env.example 复制到仓库根目录的 court.compose.env，填写后再执行。" >&2
    exit 1
fi
set -a
. ./court.compose.env
set +a
if docker compose version >/dev/null 2>&1; then
    exec docker compose "$@"
fi
exec docker-compose "$@"
