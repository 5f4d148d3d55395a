"""A real Kafka of one node: its files, its process, its topics."""
