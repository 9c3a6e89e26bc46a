"""HTTP: controllers, authentication, guards and errors. No SQL, no rules."""
