"""Webhooks: from events to deliveries, and from deliveries to receivers."""
