"""What speaks to the outside: it knows the domain and the schemas, and nothing of Daybook's own workings."""
