"""The relay: committed events into the JetStream stream, in order."""
