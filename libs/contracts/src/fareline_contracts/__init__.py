"""What crosses a service boundary in Fareline: topics, records, schemas."""
