-- What contacts have in common which hardly two people have, and the groups of those who have the same: as of the place in the
-- log that the checkpoint 'contact_alike' names. Whoever asks, and a worker, move them on (docs/adr/0052).

-- Of each contact its keys, by the score of those who have the same.
CREATE TABLE contact_keys (
    workspace_id uuid NOT NULL,
    score smallint NOT NULL,
    key bigint NOT NULL,
    contact_id uuid NOT NULL,
    PRIMARY KEY (workspace_id, score, key, contact_id)
);
CREATE INDEX contact_keys_of ON contact_keys (workspace_id, contact_id);
CALL protect_tenant_table('contact_keys', 'SELECT, INSERT, DELETE');

-- Those who are alike, the most alike first; first_id is the oldest of them. By the scores of what they have in common, and
-- the key of the first of these.
CREATE TABLE contact_groups (
    workspace_id uuid NOT NULL,
    place bigint NOT NULL,
    first_id uuid NOT NULL,
    n bigint NOT NULL,
    scores smallint[] NOT NULL,
    key bigint NOT NULL,
    PRIMARY KEY (workspace_id, place, first_id)
);
CREATE INDEX consumer_checkpoints_alike ON consumer_checkpoints (workspace_id) WHERE consumer = 'contact_alike';
CREATE INDEX contact_groups_of ON contact_groups (workspace_id, first_id);
CALL protect_tenant_table('contact_groups', 'SELECT, INSERT, DELETE');
