"""Rows and views: the tables folded from the log, and the queries that read them."""
