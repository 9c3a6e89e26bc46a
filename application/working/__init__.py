"""Long work: what every kind of job has in common."""
