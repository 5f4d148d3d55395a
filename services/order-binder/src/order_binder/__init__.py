"""Turns order snapshots into bindings."""
