-- The keys of those whom events are about: what is personal in the log is sealed with them, and to destroy one is to erase
-- it. They are in this table alone, so that it is the one that backups of the log leave out (docs/auditing.md).
CREATE TABLE person_keys (
    workspace_id uuid NOT NULL,
    person_id uuid NOT NULL,
    key bytea NOT NULL CHECK (length(key) = 32),
    PRIMARY KEY (workspace_id, person_id)
);
CALL protect_tenant_table('person_keys', 'SELECT, INSERT, DELETE');

-- Which events of other streams than a person's own, which are found by their stream, are sealed with their key: most with
-- one person's, those that lead from one to another with two. What a contact's own events cost is to look whether they are.
CREATE INDEX events_by_person ON events (workspace_id, ((data->'$sealed'->'persons'->>0)::uuid), seq)
    WHERE (data->'$sealed'->'persons'->>0)::uuid <> stream_id;
CREATE INDEX events_by_other_person ON events (workspace_id, ((data->'$sealed'->'persons'->>1)::uuid), seq)
    WHERE data->'$sealed'->'persons'->>1 IS NOT NULL;

-- What receivers answered may tell of somebody who is erased.
GRANT UPDATE ON webhook_attempts TO daybook_app;
