-- Bundles of the log that were asked for: made by jobs, piece by piece, and kept for a time, whichever process is asked.

CREATE TABLE audit_export_pieces (
    workspace_id uuid NOT NULL,
    -- the job's
    export_id uuid NOT NULL,
    n integer NOT NULL,
    -- which files are in it, and how many events of each type
    about text NOT NULL,
    size integer NOT NULL,
    content bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, export_id, n)
);
-- It is packed already.
ALTER TABLE audit_export_pieces ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX audit_export_pieces_expiry ON audit_export_pieces (expires_at);
CALL protect_tenant_table('audit_export_pieces', 'SELECT, INSERT');
GRANT DELETE ON audit_export_pieces TO daybook_worker;
CREATE POLICY workers ON audit_export_pieces FOR DELETE TO daybook_worker USING (expires_at <= now());
