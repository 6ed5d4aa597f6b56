#!/usr/bin/env bash
# Kafka with a login for each service. Its users are made once, when its storage is formatted, from the secrets.
set -euo pipefail
data=/var/lib/kafka/data

if [ ! -e "$data/meta.properties" ]; then
  umask 077
  settings=$(mktemp) users=$(mktemp)
  cat >"$settings" <<PROPERTIES
process.roles=$KAFKA_PROCESS_ROLES
node.id=$KAFKA_NODE_ID
controller.quorum.voters=$KAFKA_CONTROLLER_QUORUM_VOTERS
controller.listener.names=$KAFKA_CONTROLLER_LISTENER_NAMES
listeners=$KAFKA_LISTENERS
advertised.listeners=$KAFKA_ADVERTISED_LISTENERS
inter.broker.listener.name=$KAFKA_INTER_BROKER_LISTENER_NAME
listener.security.protocol.map=$KAFKA_LISTENER_SECURITY_PROTOCOL_MAP
log.dirs=$data
PROPERTIES
  # From a file, and without its answer: what stands in a command's arguments or in a log, others may read.
  for service in meetings signing notifications archive; do
    printf -- '--add-scram\nSCRAM-SHA-512=[name=%s,password=%s]\n' "$service" "$(</run/secrets/kafka_$service)"
  done >"$users"
  /opt/kafka/bin/kafka-storage.sh format --config "$settings" --cluster-id "$CLUSTER_ID" "@$users" >/dev/null
  rm -f "$settings" "$users"
fi
exec /etc/kafka/docker/run
