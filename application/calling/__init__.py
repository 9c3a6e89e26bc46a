"""Who calls, and what use cases are given."""
