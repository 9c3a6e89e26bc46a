"""Tables of things as people keep them: what their columns are for, and what stands in their cells."""
