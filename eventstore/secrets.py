"""Secrets against what the log says was made: none that nothing led to, and one for each thing that cannot be without.

What a secret says is in no log: that a hash or a sealed secret was put in the place of another is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

from eventstore.database import Db, one
from eventstore.verify import MismatchError
from schemas.verification import Finding

# A key whose making is under way has no event yet, and a revoked one keeps its hash: it lets nobody in.
_KEYS: Final[LiteralString] = """
    SELECT coalesce(s.api_key_id, made.id), made.id IS NOT NULL,
        count(s.api_key_id), CASE WHEN made.id IS NULL OR NOT made.live THEN 0 ELSE 1 END, 1
    FROM (
        SELECT stream_id AS id, data ->> 'userId' AS user_id, NOT EXISTS (
            SELECT FROM events r WHERE r.workspace_id = e.workspace_id AND r.type = 'api_key.revoked'
                AND r.stream_id = e.stream_id) AS live
        FROM events e WHERE workspace_id = %(w)s AND type = 'api_key.created'
    ) AS made
    FULL JOIN (
        SELECT api_key_id, account_id FROM api_key_secrets WHERE workspace_id = %(w)s AND NOT pending
    ) AS s ON s.api_key_id = made.id AND s.account_id::text = made.user_id
    GROUP BY s.api_key_id, made.id, made.live ORDER BY 1
"""
# Of an endpoint's secrets one has no end; those that it has replaced since drop out.
_OF_WEBHOOKS: Final[LiteralString] = """
    SELECT coalesce(s.webhook_id, made.id), made.id IS NOT NULL, coalesce(s.n, 0), 1,
        1 + (SELECT count(*) FROM events r WHERE r.workspace_id = %(w)s AND r.type = 'webhook.secret_rotated'
            AND r.stream_id = made.id)
    FROM (
        SELECT stream_id AS id FROM events e WHERE workspace_id = %(w)s AND type = 'webhook.created' AND NOT EXISTS (
            SELECT FROM events d WHERE d.workspace_id = e.workspace_id AND d.type = 'webhook.deleted'
                AND d.stream_id = e.stream_id)
    ) AS made
    FULL JOIN (
        SELECT webhook_id, count(*) AS n FROM webhook_secrets WHERE workspace_id = %(w)s GROUP BY webhook_id
    ) AS s ON s.webhook_id = made.id
    ORDER BY 1
"""
_OPEN_ENDED: Final[LiteralString] = """
    SELECT webhook_id, true, count(*) FILTER (WHERE expires_at IS NULL), 1, 1 FROM webhook_secrets
    WHERE workspace_id = %(w)s GROUP BY webhook_id ORDER BY webhook_id
"""
_OF_INVITATIONS: Final[LiteralString] = """
    SELECT s.invitation_id, EXISTS (
        SELECT FROM events e WHERE e.workspace_id = %(w)s AND e.stream_id = s.invitation_id
            AND e.type = 'invitation.created'), 1, 0, 1
    FROM invitation_secrets s WHERE s.workspace_id = %(w)s ORDER BY s.invitation_id
"""
# Whoever was erased has no key, nor have those who were merged into them; one that is there has come back, as from a backup.
_OF_THE_ERASED: Final[LiteralString] = """
    SELECT k.person_id, max(e.seq) FROM (
        SELECT seq, stream_id AS person_id FROM events WHERE workspace_id = %(w)s AND type = 'contact.erased'
        UNION ALL
        SELECT seq, jsonb_array_elements_text(data -> 'merged')::uuid FROM events
        WHERE workspace_id = %(w)s AND type = 'contact.erased'
    ) AS e JOIN person_keys k ON k.workspace_id = %(w)s AND k.person_id = e.person_id
    GROUP BY k.person_id ORDER BY k.person_id LIMIT 1
"""
_OF_NOBODY: Final[LiteralString] = """
    SELECT k.person_id FROM person_keys k WHERE k.workspace_id = %(w)s AND NOT EXISTS (
        SELECT FROM events e WHERE e.workspace_id = %(w)s AND e.stream_id = k.person_id AND e.version = 1
            AND e.stream_type = 'contact')
    ORDER BY k.person_id LIMIT 1
"""
# Whoever has a key or was erased is left out before anything is looked at that is sealed.
_WITHOUT: Final[LiteralString] = """
    SELECT count(*) FROM (
        SELECT stream_id FROM events WHERE workspace_id = %(w)s AND stream_type = 'contact'
        EXCEPT
        SELECT person_id FROM person_keys WHERE workspace_id = %(w)s
        EXCEPT
        SELECT stream_id FROM events WHERE workspace_id = %(w)s AND type = 'contact.erased'
        EXCEPT
        SELECT jsonb_array_elements_text(data -> 'merged')::uuid FROM events
        WHERE workspace_id = %(w)s AND type = 'contact.erased'
    ) AS without WHERE EXISTS (
        SELECT FROM events e WHERE e.workspace_id = %(w)s AND e.stream_id = without.stream_id AND e.data ? '$sealed')
"""
_CHECKS: Final[Sequence[tuple[str, str, LiteralString]]] = (
    ("api_key_secrets", "an API key", _KEYS),
    ("webhook_secrets", "a webhook", _OF_WEBHOOKS),
    ("webhook_secrets", "a webhook, of those without an end,", _OPEN_ENDED),
    ("invitation_secrets", "an invitation", _OF_INVITATIONS),
)


def check_secrets(conn: Db, workspace_id: UUID) -> None:
    """Compares a workspace's secrets with its log, inside a ``snapshot``. Raises ``MismatchError``."""
    for table, noun, query in _CHECKS:
        for owner_id, known, count, least, most in conn.execute(query, {"w": workspace_id}):
            if not known:
                _differs(workspace_id, table, owner_id, f"a secret of {noun} that the log knows", "another")
            if not least <= count <= most:
                expected = f"{least} for {noun}" if least == most else f"{least} to {most} for {noun}"
                _differs(workspace_id, table, owner_id, expected, str(count))
    for person_id, seq in conn.execute(_OF_THE_ERASED, {"w": workspace_id}):
        expected = f"no key, as event {seq} erased whose it was"
        _differs(workspace_id, "person_keys", person_id, expected, "one")
    for (person_id,) in conn.execute(_OF_NOBODY, {"w": workspace_id}):
        _differs(workspace_id, "person_keys", person_id, "a key of a contact that the log knows", "another")


def without_keys(conn: Db, workspace_id: UUID) -> int:
    """How many contacts have no key, though something is sealed with it and nobody erased them; inside a ``snapshot``."""
    (count,) = one(conn, _WITHOUT, {"w": workspace_id}) or (0,)
    return int(count)


def _differs(workspace_id: UUID, table: str, owner_id: Any, expected: str, found: str) -> None:
    finding = Finding(
        workspace_id=workspace_id, table=table, row_id=owner_id, what="secrets", expected=expected, found=found
    )
    raise MismatchError(finding)
