-- Which definitions of fields a workspace's log was written by: the number goes up whenever one of them changes, and who
-- decided by others is refused when it appends, to try again. The head is locked there anyway, so to look costs nothing.
ALTER TABLE log_heads ADD COLUMN definitions bigint NOT NULL DEFAULT 0;

DROP FUNCTION append_events(
    uuid, text[], uuid[], integer[], uuid[], text[], text[], text[], text[], text, uuid, text, uuid, uuid[], timestamptz,
    text[], bigint[]);

-- As before, and with ``decided_by``: the definitions that were gone by (null: none were), and whether this changes them.
CREATE FUNCTION append_events(
    workspace uuid, stream_types text[], stream_ids uuid[], versions integer[], event_ids uuid[], types text[],
    datas text[], befores text[], afters text[],
    actor_kind text, actor uuid, request text, correlation uuid, causations uuid[], occurred timestamptz,
    count_kinds text[], count_deltas bigint[], decided_by bigint DEFAULT NULL, redefines boolean DEFAULT false
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    at_seq bigint;
    at_hash bytea;
    at_time timestamptz;
    defined bigint;
    written text;
BEGIN
    SELECT seq, hash, greatest(clock_timestamp(), recorded_at), definitions INTO at_seq, at_hash, at_time, defined
        FROM log_heads WHERE workspace_id = workspace FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'workspace % has no log', workspace USING ERRCODE = 'no_data_found';
    END IF;
    IF decided_by <> defined THEN
        RAISE EXCEPTION 'the definitions of workspace % have changed', workspace USING ERRCODE = 'serialization_failure';
    END IF;
    written := to_char(at_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    FOR i IN 1..cardinality(types) LOOP
        at_seq := at_seq + 1;
        at_hash := sha256(at_hash || sha256(convert_to(
            befores[i] || '"recordedAt":"' || written || '","seq":' || at_seq || afters[i], 'UTF8')));
        INSERT INTO events VALUES (
            workspace, at_seq, stream_types[i], stream_ids[i], versions[i], event_ids[i], types[i], datas[i]::jsonb,
            actor_kind, actor, request, correlation, causations[i], occurred, at_time, at_hash);
    END LOOP;
    UPDATE log_heads SET seq = at_seq, hash = at_hash, recorded_at = at_time, definitions = defined + redefines::int
        WHERE workspace_id = workspace;
    FOR i IN 1..cardinality(count_kinds) LOOP
        INSERT INTO row_counts AS counted VALUES (workspace, count_kinds[i], count_deltas[i])
            ON CONFLICT (workspace_id, kind) DO UPDATE SET n = counted.n + excluded.n;
    END LOOP;
    RETURN at_seq;
END $$;
