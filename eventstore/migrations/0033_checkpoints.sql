-- Checkpoints are chained to each other, and their deliveries stand beside those of events.

-- The digest of the checkpoint before, which is signed along; NULL of those from before there was a chain.
ALTER TABLE log_checkpoints ADD COLUMN previous bytea CHECK (length(previous) = 32);

COMMENT ON COLUMN webhook_deliveries.seq IS
    'The event''s seq; of a checkpoint, which is beside the log, -1 - its seq: an event has that seq already';
