"""A log with a past, the tamperer's tools, and what the verifier says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql

from domain.api_key import API_KEY, CreateApiKey
from domain.contact import CONTACT, CreateContact, DeleteContact, TagContact, UpdateContact
from domain.kernel import Event
from domain.kernel.values import CustomValue
from domain.tag import TAG, CreateTag, TagRef
from domain.webhook import WEBHOOK, CreateWebhook
from eventstore.append import Origin, Staged, append_bulk
from eventstore.chain import GENESIS, canonical, halves, link, timestamp
from eventstore.database import Db, Pool, connection, writing
from eventstore.ids import new_id
from eventstore.mapper import EventMapper
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections.verify import verify
from schemas.verification import Checkpoint, Finding

EVENTS = 9
"""How many events ``write_past`` leaves; event 3 is an ordinary one between others."""


@dataclass(frozen=True)
class Past:
    """The streams of ``write_past``: of the contacts the second has ended."""

    tag: UUID
    ada: UUID
    gone: UUID
    api_key: UUID
    webhook: UUID


def write_past(store: EventStore, origin: Origin) -> Past:
    """Events of several kinds, one by one and in bulk, with all that JSON can hold."""
    past = Past(*(new_id() for _ in range(5)))
    user = new_id()
    tag = TagRef(id=past.tag, name="Großkunde")

    def begin(unit: Work) -> None:
        unit.begin(TAG, past.tag, CreateTag(name=tag.name))
        fields: dict[str, CustomValue] = {
            "score": 0.1,
            "öffnungszeiten": "9-17 \U0001f600",
            "n": 7,
            "vip": True,
            "list": [None, 1e-7, '\\"\t'],
        }
        unit.begin(CONTACT, past.ada, CreateContact(first_name="Ada", email="ada@example.com", custom_fields=fields))
        unit.begin(CONTACT, past.gone, CreateContact(first_name="Grace", tags=(tag,)))

    def change(unit: Work) -> None:
        unit.execute(CONTACT, past.ada, UpdateContact(company="Analytical Engines", custom_fields={"n": None}))
        unit.execute(CONTACT, past.ada, TagContact(tags=(tag,)))
        unit.execute(CONTACT, past.gone, DeleteContact())

    def equip(unit: Work) -> None:
        until = datetime(2031, 1, 1, tzinfo=UTC)
        key = CreateApiKey(name="Key", key_prefix="dbk_1", user_id=user, scopes=("log:read", "*"), expires_at=until)
        unit.begin(API_KEY, past.api_key, key)
        unit.begin(WEBHOOK, past.webhook, CreateWebhook(url="https://example.com/hook", events=("contact.*", "*")))
        unit.execute(CONTACT, past.ada, UpdateContact(globally_unsubscribed=True))
        unit.conn.execute(
            "INSERT INTO webhook_secrets (workspace_id, webhook_id, id, sealed) VALUES (%s, %s, %s, 'sealed')",
            (origin.workspace_id, past.webhook, new_id()),
        )

    store.run(origin, begin)
    store.run(origin, change)
    store.run(origin, equip, bulk=True)
    with connection(store.pool) as conn:
        conn.execute(
            "INSERT INTO api_key_secrets (key_hash, workspace_id, api_key_id, account_id) VALUES (%s, %s, %s, %s)",
            (new_id().bytes, origin.workspace_id, past.api_key, user),
        )
    return past


def write_contacts(store: EventStore, origin: Origin, number: int) -> None:
    """That many contacts, a thousand to a unit of work."""

    def work(unit: Work) -> None:
        for _ in range(min(1_000, number)):
            new = new_id()
            unit.begin(CONTACT, new, CreateContact(first_name="Ada", email=f"{new}@example.com", notes="n" * 200))

    for _ in range(-(-number // 1_000)):
        store.run(origin, work, bulk=True)


def write_raw(
    pool: Pool, origin: Origin, *events: tuple[str, UUID, int, Event | str], event_id: UUID | None = None
) -> None:
    """Events of (stream type, stream, version, event or name), chained as they should be, though no decider decided them."""
    staged = [
        Staged(
            stream_type=stream_type,
            stream_id=stream_id,
            version=version,
            event_type=event if isinstance(event, str) else event.event_name,
            data="{}" if isinstance(event, str) else EventMapper().encode(stream_id, event).decode(),
            event_id=event_id or new_id(),
            causation_id=None,
        )
        for stream_type, stream_id, version, event in events
    ]
    with writing(pool, origin.workspace_id) as conn:
        append_bulk(conn, origin, staged, datetime.now(UTC), {})


def chain_anew(owner: Db, workspace_id: UUID) -> None:
    """What a tamperer with all rights does after: makes every hash and the head fit again."""
    hashed, recorded_at, seq = GENESIS, None, 0
    rows = owner.execute(
        "SELECT seq, stream_type, stream_id, version, event_id, type, data::text, actor_type, actor_id, request_id,"
        " correlation_id, causation_id, occurred_at, recorded_at FROM events WHERE workspace_id = %s ORDER BY seq",
        (workspace_id,),
    ).fetchall()
    for row in rows:
        seq, recorded_at = row[0], row[13]
        before, after = halves(
            workspace_id=workspace_id,
            stream_type=row[1],
            stream_id=row[2],
            version=row[3],
            event_id=row[4],
            event_type=row[5],
            data=canonical(row[6]).decode(),
            actor_type=row[7],
            actor_id=row[8],
            request_id=row[9],
            correlation_id=row[10],
            causation_id=row[11],
            occurred_at=timestamp(row[12]),
        )
        hashed = link(hashed, before, timestamp(recorded_at), seq, after)
        owner.execute("UPDATE events SET hash = %s WHERE workspace_id = %s AND seq = %s", (hashed, workspace_id, seq))
    owner.execute(
        "UPDATE log_heads SET seq = %s, hash = %s, recorded_at = %s WHERE workspace_id = %s",
        (seq, hashed, recorded_at, workspace_id),
    )


@dataclass(frozen=True)
class Auditor:
    """A tamperer and a verifier of one workspace."""

    owner: Db
    workspace_id: UUID

    def tamper(self, statement: LiteralString | sql.Composed, **params: Any) -> None:
        """Runs a statement in which ``%(w)s`` is the workspace; it must hit something."""
        done = self.owner.execute(statement, {"w": self.workspace_id, **params})
        assert done.rowcount > 0

    def chain_anew(self) -> None:
        chain_anew(self.owner, self.workspace_id)

    def finding(self, *checkpoints: Checkpoint) -> Finding:
        """The first thing wrong; there must be one."""
        finding = verify(self.owner, workspaces=[self.workspace_id], checkpoints=checkpoints).finding
        assert finding is not None
        assert finding.workspace_id == self.workspace_id
        return finding
