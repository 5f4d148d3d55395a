"""What order-binder reaches for: its tables and its topics."""
