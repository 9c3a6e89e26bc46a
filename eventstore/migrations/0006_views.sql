-- Views: which version of a projection the database has, and keeping a view while nobody puts another in its place.

CREATE TABLE IF NOT EXISTS projection_versions (
    name text PRIMARY KEY,
    version integer NOT NULL,
    built_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON projection_versions TO daybook_app;

-- The lock between those who keep a view, who share it, and the one who puts a view that was built anew in its place.
CREATE FUNCTION view_lock(view text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended('daybook view ' || view, 0);

-- What each transaction that keeps a view begins with. Refused where the database has the view in another version: then
-- its tables are not, or no longer, those that the process knows.
CREATE FUNCTION hold_view(view text, wanted integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found integer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(view_lock(view));
    SELECT version INTO found FROM projection_versions WHERE name = view;
    IF found IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION 'the view % is of version %, not %: run daybook migrate', view, coalesce(found, 0), wanted
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END $$;
