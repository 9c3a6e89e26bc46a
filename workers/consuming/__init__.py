"""Consumers of the log: each event's effect once, in order, together with how far it has come."""
