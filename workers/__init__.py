"""Relay, webhook delivery and imports: loops that can die and be restarted."""
