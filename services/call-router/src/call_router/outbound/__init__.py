"""What the router asks or tells others: order-binder over HTTP, Kafka for call events."""
