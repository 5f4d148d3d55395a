"""What order-binder does, one verb per file: load, decide, save."""
