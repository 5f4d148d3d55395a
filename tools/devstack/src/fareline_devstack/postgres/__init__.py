"""A real PostgreSQL server: its process, its databases."""
