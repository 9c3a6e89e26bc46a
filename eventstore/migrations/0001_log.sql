-- The log: heads, events, and the one function that appends.

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'daybook_app') THEN
        CREATE ROLE daybook_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'daybook_worker') THEN
        CREATE ROLE daybook_worker LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE IN ROLE daybook_app;
    END IF;
END $$;

GRANT USAGE ON SCHEMA public TO daybook_app;

-- The workspace that this transaction is for. Unset means none, and none sees nothing.
CREATE FUNCTION current_workspace() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('daybook.workspace_id', true), '')::uuid;

-- Row-level security, forced, on a table whose key starts with workspace_id; and what the service may do with it.
CREATE PROCEDURE protect_tenant_table(relation regclass, privileges text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY tenant ON %s USING (workspace_id = current_workspace())', relation);
    EXECUTE format('GRANT %s ON %s TO daybook_app', privileges, relation);
END $$;

CREATE TABLE log_heads (
    workspace_id uuid PRIMARY KEY,
    seq bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (length(hash) = 32),
    recorded_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
CALL protect_tenant_table('log_heads', 'SELECT, INSERT, UPDATE');
-- Workers look across workspaces for which has something new; they see where each log ends and nothing else.
CREATE POLICY workers ON log_heads FOR SELECT TO daybook_worker USING (true);

CREATE TABLE events (
    workspace_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    stream_type text NOT NULL,
    stream_id uuid NOT NULL,
    version integer NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    actor_type text NOT NULL,
    actor_id uuid,
    request_id text,
    correlation_id uuid NOT NULL,
    causation_id uuid,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (workspace_id, seq),
    CONSTRAINT events_stream_version UNIQUE (workspace_id, stream_id, version)
) PARTITION BY HASH (workspace_id);
CREATE INDEX events_by_type ON events (workspace_id, type, seq);
CREATE INDEX events_by_actor ON events (workspace_id, actor_id, seq) WHERE actor_id IS NOT NULL;
-- SELECT and INSERT, and nothing else: what is written down stays.
CALL protect_tenant_table('events', 'SELECT, INSERT');
DO $$
BEGIN
    FOR part IN 0..7 LOOP
        EXECUTE format('CREATE TABLE events_%s PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
        EXECUTE format('ALTER TABLE events_%s ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('ALTER TABLE events_%s FORCE ROW LEVEL SECURITY', part);
    END LOOP;
END $$;

-- How many rows of a kind there are ('contact', 'tag:<id>'), kept in the transaction that changes them.
CREATE TABLE row_counts (
    workspace_id uuid NOT NULL,
    kind text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (workspace_id, kind)
) WITH (fillfactor = 50);
CALL protect_tenant_table('row_counts', 'SELECT, INSERT, UPDATE, DELETE');

-- How far each reader of the log has come in each workspace.
CREATE TABLE consumer_checkpoints (
    workspace_id uuid NOT NULL,
    consumer text NOT NULL,
    seq bigint NOT NULL,
    -- Of the relay: where in the JetStream stream that event is. A stream that ends before has lost its end.
    stream_seq bigint,
    PRIMARY KEY (workspace_id, consumer)
) WITH (fillfactor = 50);
CALL protect_tenant_table('consumer_checkpoints', 'SELECT, INSERT, UPDATE');
CREATE POLICY workers ON consumer_checkpoints FOR SELECT TO daybook_worker USING (true);

-- Heads as they were signed: whoever kept an old one can prove later tampering.
CREATE TABLE log_checkpoints (
    workspace_id uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    signed_at timestamptz NOT NULL,
    public_key bytea NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);
CALL protect_tenant_table('log_checkpoints', 'SELECT, INSERT');
-- A worker signs the heads that moved since they were last signed.
CREATE POLICY workers ON log_checkpoints FOR SELECT TO daybook_worker USING (true);

-- Responses to commands that bore an Idempotency-Key.
CREATE TABLE idempotency_keys (
    workspace_id uuid NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status integer,
    headers jsonb,
    body bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CALL protect_tenant_table('idempotency_keys', 'SELECT, INSERT, UPDATE, DELETE');
CREATE POLICY workers ON idempotency_keys FOR DELETE TO daybook_worker USING (created_at < now() - interval '24 hours');

-- Appends events to a workspace's log and adds to its counts. Called last in a transaction: the head's lock is held from
-- here to commit, so the order of seq is the order of commit, with no gap.
-- Each event's canonical JSON (RFC 8785) comes in two parts, between which recordedAt and seq belong.
-- hash = sha256(previous hash || sha256(canonical JSON)). Answers the last seq.
CREATE FUNCTION append_events(
    workspace uuid, stream_types text[], stream_ids uuid[], versions integer[], event_ids uuid[], types text[],
    datas text[], befores text[], afters text[],
    actor_kind text, actor uuid, request text, correlation uuid, causations uuid[], occurred timestamptz,
    count_kinds text[], count_deltas bigint[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    at_seq bigint;
    at_hash bytea;
    at_time timestamptz;
    written text;
BEGIN
    SELECT seq, hash, greatest(clock_timestamp(), recorded_at) INTO at_seq, at_hash, at_time
        FROM log_heads WHERE workspace_id = workspace FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'workspace % has no log', workspace USING ERRCODE = 'no_data_found';
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
    UPDATE log_heads SET seq = at_seq, hash = at_hash, recorded_at = at_time WHERE workspace_id = workspace;
    FOR i IN 1..cardinality(count_kinds) LOOP
        INSERT INTO row_counts AS counted VALUES (workspace, count_kinds[i], count_deltas[i])
            ON CONFLICT (workspace_id, kind) DO UPDATE SET n = counted.n + excluded.n;
    END LOOP;
    RETURN at_seq;
END $$;
