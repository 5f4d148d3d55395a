"""The commands of `python -m fareline_devstack`, one per file."""
