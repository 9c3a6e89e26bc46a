"""What all resources share on the wire: pages, errors, and the generated schemas."""
