"""What the CRM is: commands, events, states and deciders. Pure: no I/O."""
