-- Webhook secrets, deliveries and attempts.

CREATE TABLE webhook_secrets (
    workspace_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    id uuid NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    PRIMARY KEY (workspace_id, webhook_id, id)
);
CALL protect_tenant_table('webhook_secrets', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE webhook_deliveries (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    seq bigint NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'succeeded', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    -- attempts since the last replay: where on the retry schedule it is
    tries integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    lease uuid,
    last_status integer,
    last_error text,
    last_attempt_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, webhook_id, seq)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
-- What is to be sent, per endpoint in order of time: only pending ones are in it.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE status = 'pending';
CALL protect_tenant_table('webhook_deliveries', 'SELECT, INSERT, UPDATE, DELETE');
CREATE POLICY workers_find ON webhook_deliveries FOR SELECT TO daybook_worker USING (true);
CREATE POLICY workers_claim ON webhook_deliveries FOR UPDATE TO daybook_worker USING (true);

CREATE TABLE webhook_attempts (
    workspace_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    attempt integer NOT NULL,
    started_at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    status_code integer,
    error text,
    response_excerpt text,
    PRIMARY KEY (workspace_id, delivery_id, attempt)
);
CALL protect_tenant_table('webhook_attempts', 'SELECT, INSERT, DELETE');

-- How an endpoint has fared: what the list shows, and since when it has done nothing but fail.
CREATE TABLE webhook_health (
    workspace_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    last_delivery_at timestamptz,
    last_status integer,
    failing_since timestamptz,
    PRIMARY KEY (workspace_id, webhook_id)
) WITH (fillfactor = 50);
CALL protect_tenant_table('webhook_health', 'SELECT, INSERT, UPDATE, DELETE');
