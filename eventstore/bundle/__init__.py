"""The auditor's bundle: a stretch of one workspace's log in one file, verified and replayed with nothing but that file."""
