-- An idempotency key is the caller's own: what others of the workspace chose for theirs is another key.
-- Keys from before this have no caller, and go as all do after 24 hours.
ALTER TABLE idempotency_keys ADD COLUMN caller_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey, ADD PRIMARY KEY (workspace_id, caller_id, key);
