-- Who read what: kept for as long as the workers' settings say, and no part of the log, which is for ever (docs/adr/0048).
CREATE TABLE access_log (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    user_id uuid NOT NULL,
    api_key_id uuid,
    operation text NOT NULL,
    subject_id uuid,
    contact_ids uuid[] NOT NULL,
    request_id text NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX access_log_by_user ON access_log (workspace_id, user_id, id);
CREATE INDEX access_log_of_contacts ON access_log USING gin (workspace_id, contact_ids);
CREATE INDEX access_log_by_age ON access_log (at);
CALL protect_tenant_table('access_log', 'SELECT, INSERT');
-- Workers see none of it, and take away what is older than they say.
GRANT DELETE ON access_log TO daybook_worker;
CREATE POLICY workers ON access_log FOR DELETE TO daybook_worker
    USING (at < now() - make_interval(days => nullif(current_setting('daybook.access_log_days', true), '')::integer));
