"""What the service reaches for: Postgres, storage, the PBXs' files, Kafka."""
