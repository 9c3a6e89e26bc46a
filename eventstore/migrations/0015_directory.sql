-- Accounts, sessions and key hashes are a directory that may be on another machine than the workspaces: it is written
-- first and by itself, then the workspace, and then that both are there.

-- Whether the workspace's half is not known to be there. Registering and making a key set it and take it back.
ALTER TABLE accounts ADD COLUMN pending boolean NOT NULL DEFAULT false;
ALTER TABLE api_key_secrets ADD COLUMN pending boolean NOT NULL DEFAULT false;
ALTER TABLE api_key_secrets ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX accounts_pending ON accounts (created_at) WHERE pending;
CREATE INDEX api_key_secrets_pending ON api_key_secrets (created_at) WHERE pending;
-- What was begun and not finished is taken away.
GRANT DELETE ON accounts TO daybook_worker;

-- Who a token stands for is looked up in the directory, and what they may do in the workspace.
DROP FUNCTION authenticate(bytea, uuid);
