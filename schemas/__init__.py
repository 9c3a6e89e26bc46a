"""What crosses the wire and is not a command: views, pages, errors, the webhook envelope."""
