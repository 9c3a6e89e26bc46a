-- Where tables are built anew: nobody but their owner gets at what is here, and the service sees a table when it is whole.
CREATE SCHEMA IF NOT EXISTS rebuilding;

-- Until now they were built among the others. What interrupted rebuilds left there.
DO $$
DECLARE
    found regclass;
BEGIN
    FOR found IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relname LIKE '%\_rebuilt' AND pg_table_is_visible(oid) LOOP
        EXECUTE format('DROP TABLE %s', found);
    END LOOP;
END $$;

-- Takes away what an interrupted rebuild left, unless somebody else is migrating or rebuilding (the lock, "dayb", is
-- theirs); answers what that was. For workers, too: what is here while nobody rebuilds is of no use.
CREATE FUNCTION clear_rebuilding() RETURNS text[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found regclass;
    cleared text[] := '{}';
BEGIN
    IF NOT pg_try_advisory_xact_lock(x'64617962'::int) THEN
        RETURN cleared;
    END IF;
    FOR found IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'rebuilding'::regnamespace LOOP
        EXECUTE format('DROP TABLE %s', found);
        cleared := cleared || found::text;
    END LOOP;
    RETURN cleared;
END $$;
REVOKE ALL ON FUNCTION clear_rebuilding() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clear_rebuilding() TO daybook_worker;
