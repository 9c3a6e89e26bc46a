"""The hash chain: what an auditor can compute from the log alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from domain.contact import CONTACT, CreateContact, UpdateContact
from domain.kernel import values
from domain.tag import TAG, CreateTag, UpdateTag
from eventstore.append import Origin
from eventstore.chain import GENESIS, canonical, entry_hash, timestamp
from eventstore.database import Db, Pool
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from schemas.log import Actor
from tests.logs import check_chain, log_end, whole_log
from tests.strategies import numbers

KNOWN = {
    "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
    "type": "tag.created",
    "workspaceId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0002",
    "seq": 1,
    "stream": {"type": "tag", "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0003"},
    "version": 1,
    "recordedAt": "2026-03-15T10:30:00.000250Z",
    "meta": {
        "actor": {"type": "user", "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0004"},
        "correlationId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0005",
        "occurredAt": "2026-03-15T10:30:00.000000Z",
        "causationId": None,
        "requestId": 'req-"1"',
    },
    "data": {"name": "Großkunde", "slug": "grosskunde", "color": None},
}


def admitted(key: str, value: Any) -> dict[str, Any]:
    """The field as it is kept; nothing where it is refused."""
    try:
        return dict(values.custom_fields({key: value}))
    except ValueError:
        return {}


scalars = st.none() | st.booleans() | numbers | st.text()
fields = st.builds(admitted, st.text(min_size=1), scalars | st.lists(scalars, max_size=4))
documents = st.lists(fields, max_size=6).map(
    lambda found: {key: value for field in found for key, value in field.items()}
)


class TestCanonicalForm:
    @given(documents)
    def test_it_is_that_of_rfc_8785(self, document: dict[str, Any]) -> None:
        assert canonical(msgspec.json.encode(document)) == rfc8785.dumps(document)

    @given(documents)
    def test_it_is_the_same_after_postgres_has_kept_it(
        self, through_jsonb: Callable[[str], str], document: dict[str, Any]
    ) -> None:
        kept = canonical(msgspec.json.encode(document))
        assert canonical(through_jsonb(kept.decode())) == kept

    @pytest.mark.parametrize(
        ("written", "wanted"),
        [
            ('{"b": 1, "a": [true, null]}', '{"a":[true,null],"b":1}'),
            ('{"a": 1.50}', '{"a":1.5}'),
            ('{"a": 1e-7}', '{"a":1e-7}'),
            ('{"a": 0.000001}', '{"a":0.000001}'),
            ('{"a": 5e-324}', '{"a":5e-324}'),
            ('{"a": "\\u20ac\\/\\n\\t\\u001f"}', '{"a":"€/\\n\\t\\u001f"}'),
            ('{"\\u00fc": 1, "z": 2}', '{"z":2,"ü":1}'),
        ],
    )
    def test_examples(self, written: str, wanted: str) -> None:
        assert canonical(written) == wanted.encode()


class TestHash:
    def test_it_is_of_the_hash_before_and_the_entry(self) -> None:
        """In other words than ours: for an entry of ASCII keys and whole numbers, Python's own JSON is canonical."""
        form = json.dumps(KNOWN, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        wanted = hashlib.sha256(GENESIS + hashlib.sha256(form).digest()).digest()
        assert entry_hash(GENESIS, KNOWN) == wanted

    def test_it_is_for_ever(self) -> None:
        """Whoever kept a hash can check it with any later version."""
        assert entry_hash(GENESIS, KNOWN).hex() == "35c42038edaf40fee0e9064d6ffd01e130f0bbad21ecd01c20c2936c73c546b7"

    def test_the_hash_itself_is_not_part_of_it(self) -> None:
        assert entry_hash(GENESIS, {**KNOWN, "hash": "00"}) == entry_hash(GENESIS, KNOWN)

    @pytest.mark.parametrize("field", list(KNOWN))
    def test_every_field_is_part_of_it(self, field: str) -> None:
        assert entry_hash(GENESIS, {**KNOWN, field: "other"}) != entry_hash(GENESIS, KNOWN)

    def test_the_hash_before_is_part_of_it(self) -> None:
        assert entry_hash(bytes(31) + b"\1", KNOWN) != entry_hash(GENESIS, KNOWN)


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 3, 15, 10, 30, tzinfo=UTC), "2026-03-15T10:30:00.000000Z"),
        (datetime(2026, 3, 15, 10, 30, 0, 25, tzinfo=UTC), "2026-03-15T10:30:00.000025Z"),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:00:00.000000Z"),
    ],
)
def test_a_time_is_written_in_one_way(at: datetime, written: str) -> None:
    assert timestamp(at) == written


class TestLog:
    def test_the_database_and_the_bulk_path_make_one_chain(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        tag_id, contact_id = new_id(), new_id()
        odd = CreateContact(first_name='Zoë "Z" \\ 東京 \u2028', custom_fields={"ü": 0.1, "a": ["x", 1.5e-9]})

        def create(work: Work) -> None:
            work.begin(TAG, tag_id, CreateTag(name="Ünïcode"))
            work.begin(CONTACT, contact_id, odd)

        store.run(origin, create)
        store.run(
            replace(
                origin, actor=Actor(type="user", id=new_id()), request_id='"quoted"\\\u001f', causation_id=new_id()
            ),
            lambda work: [work.begin(CONTACT, new_id(), odd) for _ in range(50)],
            bulk=True,
        )
        store.run(origin, lambda work: work.execute(TAG, tag_id, UpdateTag(color="#fff")))
        store.run(origin, lambda work: work.execute(CONTACT, contact_id, UpdateContact(notes="a\nb")), bulk=True)
        store.run(
            replace(origin, actor=Actor(type="worker")), lambda work: work.execute(TAG, tag_id, UpdateTag(name="B"))
        )

        entries = whole_log(pool, workspace)
        assert len(entries) == 55
        check_chain(entries, log_end(pool, workspace))

    def test_what_is_served_as_json_can_be_checked_by_others(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        store.run(
            origin,
            lambda work: work.begin(CONTACT, new_id(), CreateContact(first_name="Zoë", custom_fields={"a": 0.5})),
        )
        (entry,) = whole_log(pool, workspace)

        served = json.loads(msgspec.json.encode(entry))

        assert entry_hash(GENESIS, served).hex() == served["hash"]

    def test_the_time_of_recording_never_goes_back(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID, owner: Db
    ) -> None:
        """Even where the database's clock was ahead for a while."""
        store.run(origin, lambda work: work.begin(TAG, new_id(), CreateTag(name="A")))
        owner.execute(
            "UPDATE log_heads SET recorded_at = now() + interval '1 day' WHERE workspace_id = %s", (workspace,)
        )
        store.run(origin, lambda work: work.begin(TAG, new_id(), CreateTag(name="B")))
        store.run(origin, lambda work: work.begin(TAG, new_id(), CreateTag(name="C")), bulk=True)

        times = [entry.recorded_at for entry in whole_log(pool, workspace)]
        assert times == sorted(times)
        assert times[1] == times[2]
        check_chain(whole_log(pool, workspace), log_end(pool, workspace))
