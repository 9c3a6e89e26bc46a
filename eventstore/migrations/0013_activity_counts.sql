-- How many events of each type each actor caused, up to the place in the log that the checkpoint 'activity_counts' names.
-- What comes behind it is counted by whoever asks for a total, so the two together are exact (docs/adr/0020).
CREATE TABLE activity_counts (
    workspace_id uuid NOT NULL,
    type text NOT NULL,
    actor_id uuid,
    n bigint NOT NULL,
    -- An event without an actor is the system's or a worker's.
    CONSTRAINT activity_counts_once UNIQUE NULLS NOT DISTINCT (workspace_id, type, actor_id)
) WITH (fillfactor = 50);
CALL protect_tenant_table('activity_counts', 'SELECT, INSERT, UPDATE');

-- Moves the counts to the log's end, where they are ``step`` events or more behind it and nobody else is at it.
CREATE FUNCTION count_activities(workspace uuid, step bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
    counted bigint;
BEGIN
    SELECT seq INTO head FROM log_heads WHERE workspace_id = workspace;
    SELECT seq INTO counted FROM consumer_checkpoints WHERE workspace_id = workspace AND consumer = 'activity_counts';
    IF head IS NULL OR head - coalesce(counted, 0) < step THEN
        RETURN;
    END IF;
    INSERT INTO consumer_checkpoints (workspace_id, consumer, seq) VALUES (workspace, 'activity_counts', 0)
        ON CONFLICT DO NOTHING;
    SELECT seq INTO counted FROM consumer_checkpoints
        WHERE workspace_id = workspace AND consumer = 'activity_counts' FOR UPDATE SKIP LOCKED;
    IF counted IS NULL OR counted >= head THEN
        RETURN;
    END IF;
    INSERT INTO activity_counts AS kept
        SELECT workspace, type, actor_id, count(*) FROM events
        WHERE workspace_id = workspace AND seq > counted AND seq <= head GROUP BY type, actor_id
        ON CONFLICT ON CONSTRAINT activity_counts_once DO UPDATE SET n = kept.n + excluded.n;
    UPDATE consumer_checkpoints SET seq = head WHERE workspace_id = workspace AND consumer = 'activity_counts';
END $$;
