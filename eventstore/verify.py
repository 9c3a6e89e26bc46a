"""Walks a workspace's log and proves that nothing in it was changed, taken away or slipped in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString, NoReturn
from uuid import UUID

import msgspec

from eventstore.chain import GENESIS, canonical_as_stored, halves, link
from eventstore.checkpoint import as_checkpoint, as_fingerprint, digest, signature_holds
from eventstore.database import Db, one
from schemas.log import Stream
from schemas.verification import Checkpoint, Finding

BATCH: Final = 2_000

Progress = Callable[[str, int], None]
"""Told what was gone through, ``log`` or ``rows``, and how many more events that were."""

# A session that row-level security binds would see an empty log and find nothing wrong: so it is refused.
# One core is enough for an audit; the others are for the service.
_SNAPSHOT: Final[LiteralString] = """
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
    SET LOCAL row_security = off;
    SET LOCAL timezone = 'UTC';
    SET LOCAL datestyle = 'ISO';
    SET LOCAL max_parallel_workers_per_gather = 0;
"""
_HEAD: Final[LiteralString] = "SELECT seq, hash, recorded_at::text FROM log_heads WHERE workspace_id = %s"
_EVENTS: Final[LiteralString] = """
    SELECT seq, stream_type, stream_id::text, version, event_id::text, type, data::text, actor_type, actor_id::text,
        request_id, correlation_id::text, causation_id::text, occurred_at::text, recorded_at::text, hash
    FROM events WHERE workspace_id = %s ORDER BY seq
"""
_EVENT: Final[LiteralString] = """
    SELECT stream_type, stream_id, type FROM events WHERE workspace_id = %s AND seq = %s
"""
_CHECKPOINTS: Final[LiteralString] = """
    SELECT c.seq, c.hash, c.signed_at::text, c.public_key, c.signature, c.previous, e.hash
    FROM log_checkpoints c LEFT JOIN events e ON e.workspace_id = c.workspace_id AND e.seq = c.seq
    WHERE c.workspace_id = %s ORDER BY c.seq
"""
_REPEATED: Final[LiteralString] = """
    SELECT event_id FROM events WHERE workspace_id = %s GROUP BY event_id HAVING count(*) > 1 LIMIT 1
"""
_WHERE_REPEATED: Final[LiteralString] = """
    SELECT seq FROM events WHERE workspace_id = %s AND event_id = %s ORDER BY seq LIMIT 2
"""


class MismatchError(Exception):
    """What was checked is not as it must be; ``finding`` says where and how."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass
class Report:
    """What was checked, up to the first thing that is wrong; ``protected``: whether what keeps tenants apart was, and
    ``viewed``: whether views were.

    ``unsigned``: events behind the last stored checkpoint. ``lost``: contacts without a key whom nobody erased. ``keys``: how many checkpoints the key of each fingerprint signed.
    """

    workspaces: int = 0
    events: int = 0
    checkpoints: int = 0
    rows: int = 0
    protected: bool = field(default=True, compare=False)
    viewed: bool = field(default=True, compare=False)
    unsigned: int = field(default=0, compare=False)
    lost: int = field(default=0, compare=False)
    keys: Counter[str] = field(default_factory=Counter, compare=False)
    finding: Finding | None = None


@contextmanager
def snapshot(conn: Db) -> Iterator[None]:
    """One consistent picture for all that is read inside, while the service goes on writing."""
    with conn.transaction():
        conn.execute(_SNAPSHOT)
        yield


def verify_log(
    conn: Db,
    workspace_id: UUID,
    report: Report,
    *,
    checkpoints: Iterable[Checkpoint] = (),
    trusted: Collection[str] | None = None,
    progress: Progress = lambda *_: None,
) -> None:
    """Checks a workspace's whole log inside a ``snapshot``; adds to the report what held.

    ``checkpoints`` are those of this workspace that an auditor has from before; those in the database are checked
    anyway. With ``trusted``, each must be signed with one of these keys (hex, or their fingerprints). Raises ``MismatchError`` at the first
    thing wrong.
    """
    try:
        end = _walk(conn, workspace_id, report, progress)
        _compare_head(conn, workspace_id, end)
        _check_event_ids(conn, workspace_id)
    except _OddityError as oddity:
        raise MismatchError(_located(conn, workspace_id, oddity)) from None
    kept = sorted(checkpoints, key=lambda checkpoint: checkpoint.seq)
    stored = _check_stored(conn, workspace_id, CheckpointCheck(report, trusted), end.seq)
    check = CheckpointCheck(report, trusted)
    for checkpoint in kept:
        check.compare(checkpoint, _hash_at(conn, workspace_id, checkpoint.seq), end.seq)
    for checkpoint in kept:
        check_kept(checkpoint, stored)
    report.unsigned += end.seq - max(stored, default=0)


@dataclass(frozen=True)
class _Position:
    seq: int = 0
    hash: bytes = GENESIS
    recorded_at: str = ""


class _OddityError(Exception):
    """Something is wrong with the event of a seq; what that event is, is looked up after."""

    def __init__(self, seq: int, what: str, expected: str, found: str) -> None:
        super().__init__(what)
        self.seq, self.what, self.expected, self.found = seq, what, expected, found


def _walk(conn: Db, workspace_id: UUID, report: Report, progress: Progress) -> _Position:
    """Every event from the first to the last; memory does not grow with the log."""
    at = _Position()
    with conn.cursor(name="verify_log", binary=True) as cursor:
        cursor.execute(_EVENTS, (workspace_id,), binary=True)
        while batch := cursor.fetchmany(BATCH):
            at = _follow(batch, at, str(workspace_id))
            report.events += len(batch)
            progress("log", len(batch))
    return at


def _follow(batch: list[tuple[Any, ...]], start: _Position, workspace_id: str) -> _Position:
    """The position after these events, when each follows from the one before."""
    at, hashed, last = start.seq, start.hash, start.recorded_at
    for (
        seq, stream_type, stream_id, version, event_id, event_type, data, actor_type, actor_id,
        request_id, correlation_id, causation_id, occurred_at, recorded_at, stored,
    ) in batch:  # fmt: skip
        at += 1
        if seq != at:
            raise _OddityError(at, "seq", f"event {at}", f"event {seq} in its place")
        before, after = halves(
            workspace_id=workspace_id,
            stream_type=stream_type,
            stream_id=stream_id,
            version=version,
            event_id=event_id,
            event_type=event_type,
            data=_canonical(seq, data),
            actor_type=actor_type,
            actor_id=actor_id,
            request_id=request_id,
            correlation_id=correlation_id,
            causation_id=causation_id,
            occurred_at=written(occurred_at),
        )
        recorded = written(recorded_at)
        hashed = link(hashed, before, recorded, seq, after)
        if hashed != stored:
            raise _OddityError(seq, "hash", f"{hashed.hex()} by the event's content", stored.hex())
        if recorded < last:
            raise _OddityError(seq, "recordedAt", f"{last} or later, as of the event before", recorded)
        last = recorded
    return _Position(at, hashed, last)


def written(timestamp: str) -> str:
    """A timestamp of Postgres, ``2026-03-15 10:30:00.12+00``, as it stands in a log entry."""
    time = timestamp[11:-3]
    padded = time.ljust(15, "0") if "." in time else f"{time}.000000"
    return f"{timestamp[:10]}T{padded}Z"


def _canonical(seq: int, data: str) -> str:
    try:
        return canonical_as_stored(data).decode()
    except (ValueError, ArithmeticError, RecursionError, msgspec.MsgspecError) as error:
        raise _OddityError(seq, "data", "JSON as its canonical form is stored", str(error)) from None


def _compare_head(conn: Db, workspace_id: UUID, end: _Position) -> None:
    """The head in ``log_heads``, where the next event will be chained, against the end that was walked to."""
    row = one(conn, _HEAD, (workspace_id,))
    if row is None:
        raise _OddityError(end.seq, "head", "the end of the log in log_heads", "none")
    head = _Position(row[0], row[1], "" if row[2] == "-infinity" else written(row[2]))
    if end.seq > head.seq:
        raise _OddityError(head.seq + 1, "head", f"no event after {head.seq}, the last by log_heads", f"{end.seq}")
    if end.seq < head.seq:
        found = f"none after {end.seq}"
        raise _OddityError(end.seq + 1, "head", f"events up to {head.seq}, the last by log_heads", found)
    if end.hash != head.hash:
        raise _OddityError(end.seq, "head", f"the last event's hash {end.hash.hex()} in log_heads", head.hash.hex())
    if end.recorded_at != head.recorded_at:
        expected = f"the last event's recordedAt {end.recorded_at} in log_heads"
        raise _OddityError(end.seq, "head", expected, head.recorded_at)


def _check_event_ids(conn: Db, workspace_id: UUID) -> None:
    repeated = one(conn, _REPEATED, (workspace_id,))
    if repeated is not None:
        (first,), (second,) = conn.execute(_WHERE_REPEATED, (workspace_id, repeated[0])).fetchall()
        raise _OddityError(second, "id", "an id of its own", f"{repeated[0]}, the id of event {first}")


def _located(conn: Db, workspace_id: UUID, oddity: _OddityError) -> Finding:
    event = one(conn, _EVENT, (workspace_id, oddity.seq))
    return Finding(
        workspace_id=workspace_id,
        seq=oddity.seq,
        stream=None if event is None else Stream(type=event[0], id=event[1]),
        event_type=None if event is None else event[2],
        what=oddity.what,
        expected=oddity.expected,
        found=oddity.found,
    )


def _hash_at(conn: Db, workspace_id: UUID, seq: int) -> bytes | None:
    if seq == 0:
        return GENESIS
    row = one(conn, "SELECT hash FROM events WHERE workspace_id = %s AND seq = %s", (workspace_id, seq))
    return None if row is None else bytes(row[0])


def _check_stored(conn: Db, workspace_id: UUID, check: CheckpointCheck, end: int) -> dict[int, str]:
    """The stored checkpoints, of which none may be missing; answers the digest of each by its ``seq``."""
    digests: dict[int, str] = {}
    before = None
    with conn.cursor(name="verify_checkpoints", binary=True) as cursor:
        cursor.itersize = BATCH
        cursor.execute(_CHECKPOINTS, (workspace_id,), binary=True)
        for seq, signed_hash, signed_at, public_key, signature, previous, hashed in cursor:
            checkpoint = as_checkpoint(
                workspace_id, seq, signed_hash, written(signed_at), public_key, signature, previous
            )
            check.compare(checkpoint, GENESIS if seq == 0 else hashed, end)
            check_follows(before, checkpoint)
            digests[seq], before = digest(checkpoint), checkpoint
    return digests


def check_follows(before: Checkpoint | None, checkpoint: Checkpoint) -> None:
    """That of two checkpoints that should be one behind the other none is missing in between, or before the first.

    Those from before checkpoints were chained say nothing of it. Raises ``MismatchError`` naming where it was.
    """
    expected = GENESIS.hex() if before is None else digest(before)
    if checkpoint.previous == expected or (checkpoint.previous is None and (before is None or before.previous is None)):
        return
    start = "from the beginning" if before is None else f"after {before.seq}"
    what = f"checkpoint before that signed at {checkpoint.signed_at}"
    named = "one that it names" if checkpoint.previous is None else f"one with digest {checkpoint.previous}"
    _differs(checkpoint, what, named, f"none {start} and before {checkpoint.seq}")


def check_kept(checkpoint: Checkpoint, digests: Mapping[int, str], there: str = "stored") -> None:
    """Whoever kept it was given what is ``there``, of which these are the digests by ``seq``."""
    found = digests.get(checkpoint.seq)
    if found != digest(checkpoint):
        what = f"{there} checkpoint, of which one signed at {checkpoint.signed_at} was kept"
        _differs(checkpoint, what, f"one with digest {digest(checkpoint)}", "none" if found is None else "another")


class CheckpointCheck:
    """Compares one workspace's checkpoints, in order of ``seq``, with its log."""

    def __init__(self, report: Report, trusted: Collection[str] | None) -> None:
        self._report = report
        self._trusted = None if trusted is None else {as_fingerprint(key) for key in trusted}
        self._proven = 0

    def compare(self, checkpoint: Checkpoint, hashed: bytes | None, end: int) -> None:
        """``hashed`` is the log's hash at the checkpoint's ``seq``; ``None`` when the log ends before, at ``end``."""
        signed = f"checkpoint signed at {checkpoint.signed_at}"
        if not signature_holds(checkpoint):
            expected = f"an Ed25519 signature by {checkpoint.public_key}"
            _differs(checkpoint, f"signature of the {signed}", expected, "one that does not hold")
        if self._trusted is not None and as_fingerprint(checkpoint.public_key) not in self._trusted:
            _differs(checkpoint, f"key of the {signed}", "one of the trusted public keys", checkpoint.public_key)
        if hashed is None:
            expected = f"event {checkpoint.seq} with hash {checkpoint.hash}"
            _differs(checkpoint, signed, expected, f"a log that ends at {end}")
        if hashed.hex() != checkpoint.hash:
            found = f"{hashed.hex()}: the log was rewritten after event {self._proven} and up to {checkpoint.seq}"
            _differs(checkpoint, signed, checkpoint.hash, found)
        self._proven = checkpoint.seq
        self._report.checkpoints += 1
        self._report.keys[as_fingerprint(checkpoint.public_key)] += 1


def _differs(checkpoint: Checkpoint, what: str, expected: str, found: str) -> NoReturn:
    raise MismatchError(
        Finding(workspace_id=checkpoint.workspace_id, seq=checkpoint.seq, what=what, expected=expected, found=found)
    )
