#!/bin/bash
# A new, empty broker gets an id of its own, and keeps it: by another id the relays notice that the log was lost and
# tell everything again. Then the image's own start.
set -euo pipefail
meta=$KAFKA_LOG_DIRS/meta.properties
if [ -e "$meta" ]; then
    CLUSTER_ID=$(sed -n 's/^cluster\.id=//p' "$meta")
else
    CLUSTER_ID=$(head -c 16 /dev/urandom | base64 | tr '+/' 'xy' | tr -d '=')
fi
export CLUSTER_ID
exec /etc/kafka/docker/run
