-- Jobs of any kind: what they came to by name, when they may begin, when they are next due, and that they can be cancelled.
-- Rows are rewritten by type, not by UPDATE: row-level security is forced on the owner of the table too.

ALTER TABLE jobs ALTER COLUMN created DROP DEFAULT;
ALTER TABLE jobs ALTER COLUMN created TYPE jsonb USING
    jsonb_build_object('created', created, 'updated', updated, 'skipped', skipped, 'errors', errors);
ALTER TABLE jobs RENAME COLUMN created TO counts;
ALTER TABLE jobs ALTER COLUMN counts SET DEFAULT '{}', DROP COLUMN updated, DROP COLUMN skipped, DROP COLUMN errors;

-- When its next step is due: behind run_at, the lease of who works on it, and a failure; of all jobs, the one that waited
-- longest is next.
ALTER TABLE jobs ALTER COLUMN leased_until TYPE timestamptz USING coalesce(leased_until, served_at);
ALTER TABLE jobs RENAME COLUMN leased_until TO due_at;
ALTER TABLE jobs ALTER COLUMN due_at SET DEFAULT now(), ALTER COLUMN due_at SET NOT NULL, DROP COLUMN served_at,
    ADD COLUMN run_at timestamptz NOT NULL DEFAULT now(),
    DROP CONSTRAINT jobs_status_check,
    ADD CHECK (status IN ('processing', 'completed', 'failed', 'cancelled'));

DROP INDEX jobs_open;
CREATE INDEX jobs_open ON jobs (workspace_id, kind, id) WHERE status = 'processing';
CREATE INDEX jobs_due ON jobs (due_at) WHERE status = 'processing';
CREATE INDEX jobs_ended ON jobs (completed_at) WHERE completed_at IS NOT NULL;

-- Who wants a job cancelled that somebody is working on.
CREATE TABLE job_cancellations (
    workspace_id uuid NOT NULL,
    job_id uuid NOT NULL,
    actor_type text NOT NULL,
    actor_id uuid,
    request_id text,
    PRIMARY KEY (workspace_id, job_id)
);
CALL protect_tenant_table('job_cancellations', 'SELECT, INSERT, DELETE');
