#!/bin/bash
# A new, empty broker gets an id of its own, and keeps it: by another id the relays notice that the log was lost and
# tell everything again. The administrator signs in with the password of the secret, as the broker itself does; the
# services' users are made by `yangguang prepare`. Then the image's own start.
set -euo pipefail
meta=$KAFKA_LOG_DIRS/meta.properties
if [ -e "$meta" ]; then
    CLUSTER_ID=$(sed -n 's/^cluster\.id=//p' "$meta")
else
    CLUSTER_ID=$(head -c 16 /dev/urandom | base64 | tr '+/' 'xy' | tr -d '=')
fi
password=$(cat /run/secrets/kafka_admin)
if ! [[ $password =~ ^[A-Za-z0-9_.~-]{8,}$ ]]; then
    echo "Kafka没有启动：kafka_admin 的口令至少8位，只能用字母、数字和 - _ . ~，请重新生成。" >&2
    exit 1
fi
modules=org.apache.kafka.common.security
plain="$modules.plain.PlainLoginModule required username=\"admin\" password=\"$password\" user_admin=\"$password\";"
export CLUSTER_ID
export KAFKA_LISTENER_NAME_CLIENT_PLAIN_SASL_JAAS_CONFIG=$plain
export KAFKA_LISTENER_NAME_CONTROLLER_PLAIN_SASL_JAAS_CONFIG=$plain
export KAFKA_LISTENER_NAME_CLIENT_SCRAM___SHA___512_SASL_JAAS_CONFIG="$modules.scram.ScramLoginModule required;"
exec /etc/kafka/docker/run
