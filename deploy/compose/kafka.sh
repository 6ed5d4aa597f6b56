#!/usr/bin/env bash
# Kafka with a login for each service, which may do what `kafka-acls` says. The users are made once, when the storage is
# formatted, from the secrets.
set -euo pipefail
data=/var/lib/kafka/data
marker=/tmp/acls-are-set # for the health check

allow() {
  local acls=(/opt/kafka/bin/kafka-acls.sh --bootstrap-server 127.0.0.1:9094) service operations kind names
  until "${acls[@]}" --list >/dev/null 2>&1; do sleep 1; done
  while read -r service operations kind names; do
    case $service in '' | '#'*) continue ;; esac
    # shellcheck disable=SC2086 # several names in one variable
    "${acls[@]}" --add --allow-principal "User:$service" \
      $(printf -- '--operation %s ' ${operations//,/ }) $(printf -- "--$kind %s " $names) </dev/null >/dev/null
  done </usr/local/share/kafka-acls
  touch "$marker"
}

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
rm -f "$marker"
allow &
exec /etc/kafka/docker/run
