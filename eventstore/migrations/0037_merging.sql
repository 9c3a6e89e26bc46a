-- What goes on in the place of a thing on its way out, where something does: who would refer to the one refers to the other.
ALTER TABLE endings ADD COLUMN successor uuid;

-- Things that must not end while a job is open, and why; anything may refer to them meanwhile.
CREATE TABLE job_needs (
    workspace_id uuid NOT NULL,
    kind text NOT NULL,
    -- what others refer to it by
    id uuid NOT NULL,
    job_id uuid NOT NULL,
    why text NOT NULL,
    PRIMARY KEY (workspace_id, kind, id, job_id)
);
CALL protect_tenant_table('job_needs', 'SELECT, INSERT, DELETE');
