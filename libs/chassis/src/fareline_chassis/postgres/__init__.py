"""PostgreSQL building blocks: pool, named queries, migrations, what an error means."""
