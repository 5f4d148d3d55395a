"""Verbs: each file does one thing that the outside asks for. Load, decide, save."""
