-- Things on their way out: so much refers to them that a job takes it away bit by bit, and nothing new may meanwhile.
CREATE TABLE endings (
    workspace_id uuid NOT NULL,
    kind text NOT NULL,
    -- what others refer to it by
    id uuid NOT NULL,
    job_id uuid NOT NULL,
    PRIMARY KEY (workspace_id, kind, id)
);
CALL protect_tenant_table('endings', 'SELECT, INSERT, DELETE');
