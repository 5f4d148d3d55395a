"""What comes in: webhooks, the API, Kafka's news, and time. Each is translated and handed to one use case."""
