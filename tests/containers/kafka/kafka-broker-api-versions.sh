#!/usr/bin/env bash
# Asks the broker something and says whether it answered. The command of that name is in a jar that a broker does not need.
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' kafka.admin.ConfigCommand "$@" \
  --describe --entity-type brokers
