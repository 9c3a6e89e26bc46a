-- What looks over all workspaces read does not grow with what was ever done.

-- Up to where a head was signed: which logs have grown since is seen at the heads, without the checkpoints.
ALTER TABLE log_heads ADD COLUMN signed_seq bigint NOT NULL DEFAULT 0;
UPDATE log_heads h SET signed_seq = signed.seq
    FROM (SELECT workspace_id, max(seq) AS seq FROM log_checkpoints GROUP BY workspace_id) AS signed
    WHERE signed.workspace_id = h.workspace_id;
DROP POLICY workers ON log_checkpoints;

-- Where the stream ends as far as the relay knows, and who is beyond.
CREATE INDEX consumer_checkpoints_by_stream ON consumer_checkpoints (stream_seq) WHERE consumer = 'relay';
