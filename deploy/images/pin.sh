#!/bin/bash
# Adds to each image in .env, and wherever Kubernetes names it, the digest that its registry gives for the tag; one that does
# not answer stays by its tag.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
grep -o '^[A-Z]*_IMAGE=.*' "$root/.env" | while IFS='=' read -r which image; do
    tag=${image%@*}
    if digest=$(docker buildx imagetools inspect "$tag" --format '{{.Manifest.Digest}}' 2>/dev/null); then
        sed -i "s|^$which=.*|$which=$tag@$digest|" "$root/.env"
        sed -i -E "s|image: $tag(@\S+)?$|image: $tag@$digest|" "$root"/deploy/k8s/*/*.yaml
        echo "$tag@$digest"
    else
        echo "$tag: no registry answers, left by its tag" >&2
    fi
done
