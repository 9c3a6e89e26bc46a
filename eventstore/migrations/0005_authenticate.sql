-- Who a bearer token stands for: an API key's or a session's hash → the account, and what it may do in the workspace
-- asked for (its own when none is). No row when the token is unknown, revoked or expired; no role when the account is
-- no member there. One round trip; the rows are read under the tenant policies of the workspaces concerned.
CREATE FUNCTION authenticate(hash bytea, wanted uuid) RETURNS TABLE (
    workspace_id uuid, account_id uuid, api_key_id uuid, scopes text[], role text, assigned_only boolean, plan text,
    last_used_at timestamptz, home_id uuid
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    home uuid;
    account uuid;
    key uuid;
    allowed text[];
    used timestamptz;
BEGIN
    SELECT s.workspace_id, s.account_id, s.api_key_id, s.last_used_at INTO home, account, key, used
        FROM api_key_secrets s WHERE s.key_hash = hash;
    IF FOUND THEN
        PERFORM set_config('daybook.workspace_id', home::text, true);
        SELECT k.scopes INTO allowed FROM api_keys k
            WHERE k.workspace_id = home AND k.id = key AND k.is_active AND (k.expires_at IS NULL OR k.expires_at > now());
    ELSE
        SELECT s.workspace_id, s.account_id, '{*}'::text[] INTO home, account, allowed
            FROM sessions s WHERE s.token_hash = hash AND s.expires_at > now();
    END IF;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM set_config('daybook.workspace_id', coalesce(wanted, home)::text, true);
    RETURN QUERY
        SELECT coalesce(wanted, home), account, key, allowed, m.role, m.assigned_only, m.plan, used, home
        FROM (VALUES (1)) AS always LEFT JOIN (
            SELECT m.role, m.assigned_only, w.plan FROM memberships m JOIN workspaces w ON w.workspace_id = m.workspace_id
            WHERE m.workspace_id = coalesce(wanted, home) AND m.user_id = account
        ) AS m ON true;
END $$;
