-- Jobs: long work that a worker does chunk by chunk, each chunk in one transaction with its progress.

CREATE TABLE jobs (
    workspace_id uuid NOT NULL,
    -- of an import also its stream's; what a job makes happen has it as correlation
    id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL CHECK (status IN ('processing', 'completed', 'failed')),
    -- JSON as text: unlike jsonb it can hold any string
    options text NOT NULL,
    actor_type text NOT NULL,
    actor_id uuid,
    account_id uuid,
    request_id text,
    causation_id uuid,
    total integer NOT NULL DEFAULT 0,
    processed integer NOT NULL DEFAULT 0,
    created integer NOT NULL DEFAULT 0,
    updated integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0,
    errors integer NOT NULL DEFAULT 0,
    error text,
    -- how often the next chunk was begun, and how often that failed
    attempts integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    lease uuid,
    leased_until timestamptz,
    -- when it last had its turn: of all workspaces, the one that waited longest is next
    served_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 50);
CREATE INDEX jobs_open ON jobs (workspace_id, id) WHERE status = 'processing';
CALL protect_tenant_table('jobs', 'SELECT, INSERT, UPDATE, DELETE');
CREATE POLICY workers_find ON jobs FOR SELECT TO daybook_worker USING (true);
CREATE POLICY workers_claim ON jobs FOR UPDATE TO daybook_worker USING (true);

CREATE TABLE job_chunks (
    workspace_id uuid NOT NULL,
    job_id uuid NOT NULL,
    n integer NOT NULL,
    first_row integer NOT NULL,
    rows text NOT NULL,
    PRIMARY KEY (workspace_id, job_id, n)
);
CALL protect_tenant_table('job_chunks', 'SELECT, INSERT, DELETE');

-- What was wrong with a row: rows are numbered from 1; the line is that of the file it came in.
CREATE TABLE job_errors (
    workspace_id uuid NOT NULL,
    job_id uuid NOT NULL,
    row_number integer NOT NULL,
    line integer,
    field text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (workspace_id, job_id, row_number, field)
);
CALL protect_tenant_table('job_errors', 'SELECT, INSERT, DELETE');
