"""The importer: from files and JSON to rows, and from rows to commands."""
