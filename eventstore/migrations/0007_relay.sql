-- What the relay knows of the stream as a whole, and of this Postgres.

-- Which history this Postgres writes: one more with each promotion of a standby and each restored backup.
CREATE FUNCTION wal_timeline() RETURNS integer LANGUAGE sql STABLE
RETURN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer;

-- Up to where a stream was compared with the log, event by event, and on which timeline.
-- A stream that was made at another time is another one, whatever its name.
CREATE TABLE relay_streams (
    name text PRIMARY KEY,
    created_at timestamptz NOT NULL,
    compared bigint NOT NULL,
    timeline integer NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON relay_streams TO daybook_worker;
