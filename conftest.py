"""Gives every test of the repository the fixtures of the devstack: real Kafka, real PostgreSQL, on demand."""

pytest_plugins = ["fareline_devstack.pytest_plugin"]
