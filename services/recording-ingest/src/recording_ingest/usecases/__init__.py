"""What the service does, one verb a module: load, decide, save."""
