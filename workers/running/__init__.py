"""How loops are run: connections, leases, waiting, and ending in good order."""
