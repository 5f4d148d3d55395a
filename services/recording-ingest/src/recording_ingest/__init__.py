"""Downloads and indexes call recordings and serves the call log."""
