"""Fareline's three services as real processes: what they are told, how they are started, watched and stopped."""
