"""Views: read models over many streams, kept from the log with a checkpoint per workspace."""
