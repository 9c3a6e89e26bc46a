"""Tables of things, written so that they can be imported again: machinery, which knows no resource."""
