"""Real Kafka and Postgres for the demo, the tests and the benchmarks, on one machine."""
