"""What drives order-binder: records, requests and time."""
