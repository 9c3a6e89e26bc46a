-- Invitations' secrets, and the mails that bring them.

-- What the link of an invitation is checked against. The link names the workspace, so this needs no directory.
CREATE TABLE invitation_secrets (
    workspace_id uuid NOT NULL,
    invitation_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    PRIMARY KEY (workspace_id, invitation_id)
);
CALL protect_tenant_table('invitation_secrets', 'SELECT, INSERT, UPDATE, DELETE');

-- Mails. The text has the secret of what it is about: it is sealed, and gone as soon as the mail is sent or is not to be.
CREATE TABLE outbox (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    about uuid NOT NULL,
    owners_only boolean NOT NULL,
    recipient text NOT NULL,
    subject text NOT NULL,
    sealed bytea,
    status text NOT NULL CHECK (status IN ('kept', 'pending', 'sent', 'failed', 'withdrawn')),
    attempts integer NOT NULL DEFAULT 0,
    -- when it is to be sent, or, while somebody sends it, when that counts as lost
    due_at timestamptz NOT NULL DEFAULT now(),
    lease uuid,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX outbox_about ON outbox (workspace_id, about);
CREATE INDEX outbox_by_age ON outbox (workspace_id, created_at);
CREATE INDEX outbox_due ON outbox (due_at) WHERE status = 'pending';
CALL protect_tenant_table('outbox', 'SELECT, INSERT, UPDATE');
-- Workers look across workspaces for mails that are due, and take away the old.
CREATE POLICY workers_find ON outbox FOR SELECT TO daybook_worker USING (status = 'pending');
GRANT DELETE ON outbox TO daybook_worker;
CREATE POLICY workers ON outbox FOR DELETE TO daybook_worker
    USING (status <> 'pending' AND created_at < now() - interval '30 days');
