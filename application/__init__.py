"""Use cases: one caller's wish, carried out over the streams it touches in one unit of work."""
