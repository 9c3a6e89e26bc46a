"""The log: recorder, mapper, unit of work, hash chain, tailing reader and migrations."""
