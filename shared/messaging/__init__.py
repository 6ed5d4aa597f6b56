"""The only place that knows Kafka: outbox, relay, inbox, batch consumer, dead letters."""
