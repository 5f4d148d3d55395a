"""How any Fareline service runs: settings, telemetry, Kafka, Postgres, publication, health."""
