"""Asking: what a filter says of records, as one SQL expression and as a test of a single one, which agree."""
