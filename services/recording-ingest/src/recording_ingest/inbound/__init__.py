"""Where work comes in: Kafka, HTTP, and the clock. Translators, nothing else."""
