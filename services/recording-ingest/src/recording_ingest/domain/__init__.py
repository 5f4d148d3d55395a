"""What recording-ingest knows about calls and recordings: pure rules over frozen values."""
