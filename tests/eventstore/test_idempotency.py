"""Idempotency keys: whoever asks again is answered again, and nothing is done twice."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest

from domain.contact import CONTACT, Contact, CreateContact, UpdateContact
from domain.kernel import Refused
from eventstore.append import Origin
from eventstore.database import Db, Pool
from eventstore.idempotency import IdempotencyKey, StoredResponse
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from tests.logs import log_end, types, whole_log

ADA = CreateContact(first_name="Ada", email="ada@engine.org")


CALLER = new_id()


def key(name: str = "import-1", request: bytes = b"POST /contacts {}", caller_id: UUID = CALLER) -> IdempotencyKey:
    return IdempotencyKey(caller_id, name, sha256(request).digest())


def render(found: Current[Contact], seq: int | None) -> StoredResponse:
    return StoredResponse(201, f"{found.id} at {seq}".encode(), {"ETag": f'"{found.version}"'})


def create(store: EventStore, origin: Origin, given: IdempotencyKey | None, *, bulk: bool = False) -> StoredResponse:
    return store.answer(
        origin, given, lambda work: work.begin(CONTACT, new_id(), CreateContact(first_name="Ada")), render, bulk=bulk
    )


@pytest.mark.parametrize("bulk", [False, True], ids=["one by one", "bulk"])
def test_a_replay_is_answered_as_the_first_request_was(
    store: EventStore, origin: Origin, pool: Pool, workspace: UUID, bulk: bool
) -> None:
    first = create(store, origin, key(), bulk=bulk)
    again = create(store, origin, key(), bulk=bulk)

    assert not first.replayed
    assert again == replace(first, replayed=True)
    assert again.headers == {"ETag": '"1"'}
    assert again.body.endswith(b"at 1")
    assert types(pool, workspace) == ["contact.created"]


def test_the_same_key_of_another_caller_is_another_key(
    store: EventStore, origin: Origin, pool: Pool, workspace: UUID
) -> None:
    mine, theirs = create(store, origin, key()), create(store, origin, key(caller_id=new_id()))
    assert (mine.replayed, theirs.replayed) == (False, False)
    assert mine.body != theirs.body
    assert create(store, origin, key()) == replace(mine, replayed=True)
    assert log_end(pool, workspace)[0] == 2


def test_without_a_key_every_request_is_carried_out(
    store: EventStore, origin: Origin, pool: Pool, workspace: UUID
) -> None:
    assert create(store, origin, None) != create(store, origin, None)
    assert log_end(pool, workspace)[0] == 2


def test_another_request_under_the_same_key_is_refused(
    store: EventStore, origin: Origin, pool: Pool, workspace: UUID
) -> None:
    create(store, origin, key())
    with pytest.raises(Refused, match="was used for another request") as caught:
        create(store, origin, key(request=b'POST /contacts {"firstName": "Bob"}'))
    assert caught.value.code == "validation_failed"
    assert [detail.field for detail in caught.value.details] == ["Idempotency-Key"]
    assert log_end(pool, workspace)[0] == 1


def test_another_key_is_another_request(store: EventStore, origin: Origin, pool: Pool, workspace: UUID) -> None:
    create(store, origin, key("a"))
    create(store, origin, key("b"))
    assert log_end(pool, workspace)[0] == 2


def test_another_workspace_has_keys_of_its_own(
    store: EventStore, origin: Origin, other_workspace: UUID, pool: Pool
) -> None:
    create(store, origin, key())
    other = create(store, replace(origin, workspace_id=other_workspace), key())
    assert not other.replayed
    assert log_end(pool, other_workspace)[0] == 1


def test_a_refused_request_leaves_its_key_free(store: EventStore, origin: Origin) -> None:
    """It changed nothing, and may succeed the next time."""
    store.run(origin, lambda work: work.begin(CONTACT, new_id(), ADA))

    def again(address: str) -> StoredResponse:
        wish = CreateContact(first_name="Ada", email=address)
        return store.answer(origin, key(), lambda work: work.begin(CONTACT, new_id(), wish), render)

    with pytest.raises(Refused) as caught:
        again("ada@engine.org")
    assert caught.value.code == "conflict"
    assert not again("ada@lovelace.org").replayed


def test_a_request_that_changed_nothing_is_replayed_too(
    store: EventStore, origin: Origin, pool: Pool, workspace: UUID
) -> None:
    runs: list[int] = []

    def work(_: Work) -> None:
        runs.append(1)

    def answer(_: None, seq: int | None) -> StoredResponse:
        return StoredResponse(200, str(seq).encode())

    first = store.answer(origin, key(), work, answer)
    again = store.answer(origin, key(), work, answer)

    assert (first.body, again.body, again.replayed) == (b"None", b"None", True)
    assert len(runs) == 1
    assert whole_log(pool, workspace) == []


def test_a_replay_nudges_nobody(store: EventStore, origin: Origin, workspace: UUID) -> None:
    nudged: list[UUID] = []
    nudging = replace(store, nudge=nudged.append)
    create(nudging, origin, key())
    create(nudging, origin, key())
    assert nudged == [workspace]


def test_of_duplicates_at_once_one_is_carried_out(
    store: EventStore, origin: Origin, pool: Pool, workspace: UUID
) -> None:
    ready = threading.Barrier(6)

    def attempt(_: int) -> StoredResponse:
        ready.wait()
        return create(store, origin, key())

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(attempt, range(6)))

    assert len({answer.body for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False, True, True, True, True, True]
    assert types(pool, workspace) == ["contact.created"]


def test_a_duplicate_waits_and_takes_over_when_the_first_is_undone(
    store: EventStore, origin: Origin, pool: Pool, workspace: UUID
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def failing(work: Work) -> Current[Contact]:
        work.begin(CONTACT, new_id(), ADA)
        begun.set()
        assert go_on.wait(20)
        raise RuntimeError("power cut")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(store.answer, origin, key(), failing, render)
        assert begun.wait(20)
        second = threads.submit(create, store, origin, key())
        time.sleep(0.1)
        assert not second.done()
        go_on.set()
        with pytest.raises(RuntimeError, match="power cut"):
            first.result()
        assert not second.result().replayed
    assert types(pool, workspace) == ["contact.created"]


def test_the_stream_being_changed_meanwhile_does_not_take_the_key(
    store: EventStore, origin: Origin, pool: Pool, workspace: UUID
) -> None:
    """The second try is the same request."""
    contact_id = store.run(origin, lambda work: work.begin(CONTACT, new_id(), ADA)).value.id
    tries: list[int] = []

    def work(unit: Work) -> Current[Contact]:
        from_version = unit.get(CONTACT, contact_id).version
        tries.append(from_version)
        if from_version == 1:
            rename(store, origin, contact_id, "Augusta")
        unit.execute(CONTACT, contact_id, UpdateContact(last_name="Lovelace"))
        return unit.get(CONTACT, contact_id)

    answer = store.answer(origin, key(), work, render)

    assert tries == [1, 2]
    assert not answer.replayed
    assert store.answer(origin, key(), work, render) == replace(answer, replayed=True)
    assert log_end(pool, workspace)[0] == 3


def rename(store: EventStore, origin: Origin, contact_id: UUID, name: str) -> None:
    store.run(origin, lambda work: work.execute(CONTACT, contact_id, UpdateContact(first_name=name)))


@pytest.mark.parametrize("wrong", ["", "x" * 256, "tab\t", "ünïcode", "new\nline"])
def test_a_key_has_1_to_255_printable_ascii_characters(wrong: str) -> None:
    with pytest.raises(Refused, match="1 to 255 printable ASCII") as caught:
        key(wrong)
    assert caught.value.code == "validation_failed"
    assert key("x" * 255)


def test_the_response_is_kept_with_the_key(store: EventStore, origin: Origin, owner: Db, workspace: UUID) -> None:
    response = create(store, origin, key())
    row = owner.execute(
        "SELECT key, request_hash, status, body FROM idempotency_keys WHERE workspace_id = %s", (workspace,)
    ).fetchone()
    assert row == ("import-1", key().request_hash, 201, response.body)
