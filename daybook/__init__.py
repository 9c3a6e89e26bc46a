"""The command line, settings, and the embedded Postgres and NATS."""
