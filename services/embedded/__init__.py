"""The all-in-one process: the four services with their own PostgreSQL and Kafka-protocol server."""
