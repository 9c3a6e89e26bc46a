-- Jobs: long work that a worker does chunk by chunk, each chunk in one transaction with its progress.

CREATE TABLE jobs (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL CHECK (status IN ('receiving', 'processing', 'completed', 'failed')),
    options jsonb NOT NULL,
    actor_type text NOT NULL,
    actor_id uuid,
    request_id text,
    correlation_id uuid NOT NULL,
    total integer NOT NULL DEFAULT 0,
    processed integer NOT NULL DEFAULT 0,
    created integer NOT NULL DEFAULT 0,
    updated integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0,
    errors integer NOT NULL DEFAULT 0,
    error text,
    leased_until timestamptz,
    lease uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX jobs_open ON jobs (created_at) WHERE status = 'processing';
CALL protect_tenant_table('jobs', 'SELECT, INSERT, UPDATE, DELETE');
CREATE POLICY workers_find ON jobs FOR SELECT TO daybook_worker USING (true);
CREATE POLICY workers_claim ON jobs FOR UPDATE TO daybook_worker USING (true);

CREATE TABLE job_chunks (
    workspace_id uuid NOT NULL,
    job_id uuid NOT NULL,
    n integer NOT NULL,
    first_row integer NOT NULL,
    rows jsonb NOT NULL,
    PRIMARY KEY (workspace_id, job_id, n)
);
CALL protect_tenant_table('job_chunks', 'SELECT, INSERT, DELETE');

CREATE TABLE job_errors (
    workspace_id uuid NOT NULL,
    job_id uuid NOT NULL,
    row_number integer NOT NULL,
    field text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (workspace_id, job_id, row_number, field)
);
CALL protect_tenant_table('job_errors', 'SELECT, INSERT, DELETE');
