-- Accounts, sessions and key hashes: secrets, so in ordinary tables and never in the log.
-- They are looked up before it is known which workspace a request is for, so they are not tenant tables.

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON accounts TO daybook_app;

-- Which workspaces an account belongs to, so that logging in can find them; kept with the membership rows.
CREATE TABLE account_workspaces (
    account_id uuid NOT NULL REFERENCES accounts,
    workspace_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, workspace_id)
);
GRANT SELECT, INSERT, DELETE ON account_workspaces TO daybook_app;

CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    workspace_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
GRANT SELECT, INSERT, DELETE ON sessions TO daybook_app;

CREATE TABLE api_key_secrets (
    key_hash bytea PRIMARY KEY,
    workspace_id uuid NOT NULL,
    api_key_id uuid NOT NULL,
    account_id uuid NOT NULL,
    last_used_at timestamptz,
    UNIQUE (workspace_id, api_key_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON api_key_secrets TO daybook_app;

-- How many requests of this minute each process has taken from a workspace's allowance.
CREATE UNLOGGED TABLE rate_windows (
    workspace_id uuid NOT NULL,
    window_start timestamptz NOT NULL,
    taken integer NOT NULL,
    PRIMARY KEY (workspace_id, window_start)
);
CALL protect_tenant_table('rate_windows', 'SELECT, INSERT, UPDATE');
GRANT DELETE ON rate_windows TO daybook_worker;
CREATE POLICY workers ON rate_windows FOR DELETE TO daybook_worker USING (window_start < now() - interval '5 minutes');
