"""Verifies an exported log without the database: all it takes is the file, and checkpoints kept from before."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any, Final, NoReturn
from uuid import UUID

import msgspec
import rfc8785

from domain.catalogue import DECIDERS
from eventstore.chain import GENESIS, entry_hash
from eventstore.checkpoint_links import check_links
from eventstore.mapper import EventMapper, UnreadableEventError, names_of
from eventstore.recorder import is_programs_own
from eventstore.verify import CheckpointCheck, MismatchError, Progress, Report
from schemas.log import LogEntry
from schemas.verification import Checkpoint, Finding

START: Final = (0, GENESIS)
NAMES: Final = {stream_type: names_of(decider) for stream_type, decider in DECIDERS.items()}
"""By kind of stream, what events in it may be called."""

_STEP: Final = 1_000


def verify_file(
    lines: Iterable[bytes],
    *,
    checkpoints: Sequence[Checkpoint] = (),
    trusted: Collection[str] | None = None,
    after: tuple[int, bytes] = START,
    progress: Progress = lambda *_: None,
) -> Report:
    """Checks NDJSON as ``GET /log`` answers it: one workspace's log from its first entry, or from behind ``after``.

    ``after`` is the ``seq`` and hash of the entry before the first line. Checkpoints must be met by the file, unless
    they are from before it begins or of another workspace. With ``trusted``, they must be signed with one of these
    public keys. The report has the first thing that is wrong.
    """
    report = Report()
    follower = Follower(report, checkpoints, trusted, after)
    try:
        for number, line in enumerate(lines, 1):
            if line.strip():
                fields, entry = _parsed(number, line)
                follower.follow(entry, partial(entry_hash, entry=fields), number)
                report.events += 1
                if report.events % _STEP == 0:
                    progress("log", _STEP)
        follower.end()
        check_links(follower.met)
    except MismatchError as mismatch:
        report.finding = mismatch.finding
    progress("log", report.events % _STEP)
    report.workspaces = int(follower.workspace_id is not None)
    return report


class Follower:
    """Where in one workspace's log a reader of its entries has come to, and that each follows from the one before.

    ``workspace_id`` is that of the entries so far, unless it is known from the beginning; ``met``: the checkpoints that
    they go through, in order.
    """

    def __init__(
        self,
        report: Report,
        checkpoints: Sequence[Checkpoint],
        trusted: Collection[str] | None,
        after: tuple[int, bytes],
        workspace_id: UUID | None = None,
    ) -> None:
        self.workspace_id: UUID | None = None
        self.seq, self.hash = after
        self._recorded_at = ""
        self._streams = _Streams(whole=after == START)
        self._check = CheckpointCheck(report, trusted)
        self.met: list[Checkpoint] = []
        ahead = (checkpoint for checkpoint in checkpoints if checkpoint.seq >= self.seq)
        self._ahead = sorted(ahead, key=lambda checkpoint: checkpoint.seq, reverse=True)
        if workspace_id is not None:
            self._begin(workspace_id)

    def follow(self, entry: LogEntry, hashed_behind: Callable[[bytes], bytes], number: int | None = None) -> None:
        """The next entry, in line ``number`` of its file. ``hashed_behind``: the hash that it must have, from that before.

        Raises ``MismatchError`` where it does not follow.
        """
        if self.workspace_id is None:
            self._begin(entry.workspace_id)
        if entry.workspace_id != self.workspace_id:
            _wrong(number, entry, "workspaceId", str(self.workspace_id), str(entry.workspace_id))
        if entry.seq != self.seq + 1:
            _wrong(number, entry, "seq", str(self.seq + 1), str(entry.seq))
        hashed = _hashed(number, entry, self.hash, hashed_behind)
        if hashed.hex() != entry.hash:
            _wrong(number, entry, "hash", f"{hashed.hex()} by the entry's content", entry.hash)
        if entry.recorded_at < self._recorded_at:
            expected = f"{self._recorded_at} or later, as of the entry before"
            _wrong(number, entry, "recordedAt", expected, entry.recorded_at)
        self._streams.follow(number, entry)
        self.seq, self.hash, self._recorded_at = entry.seq, hashed, entry.recorded_at
        self._compare()

    def end(self) -> None:
        """No checkpoint may be of an entry that the file does not have, and a log has a first entry."""
        for checkpoint in reversed(self._ahead):
            self._check.compare(checkpoint, None, self.seq)
        if self.seq == 0:
            raise MismatchError(Finding(what="entry", line=1, expected="the log's first entry", found="an empty file"))

    def _begin(self, workspace_id: UUID) -> None:
        self.workspace_id = workspace_id
        self._ahead = [checkpoint for checkpoint in self._ahead if checkpoint.workspace_id == workspace_id]
        self._compare()

    def _compare(self) -> None:
        while self._ahead and self._ahead[-1].seq == self.seq:
            self.met.append(self._ahead.pop())
            self._check.compare(self.met[-1], self.hash, self.seq)


class _Streams:
    """The id of every event and the version of every stream up to here; some 300 bytes an event."""

    def __init__(self, *, whole: bool) -> None:
        """``whole``: whether the file begins with the log, so that streams begin in it too."""
        self._whole = whole
        self._ids: dict[bytes, int] = {}
        self._ends: dict[bytes, tuple[str, int]] = {}
        self._mapper = EventMapper(keyless=True)

    def follow(self, number: int | None, entry: LogEntry) -> None:
        """The next entry: an event with an id of its own that can stand where it does in its stream."""
        known = self._ids.setdefault(entry.id.bytes, entry.seq)
        if known != entry.seq:
            _wrong(number, entry, "id", "an id of its own", f"{entry.id}, the id of event {known}")
        if not is_programs_own(entry.stream.type):
            self._check_place(number, entry)
            self._check_event(number, entry)

    def _check_place(self, number: int | None, entry: LogEntry) -> None:
        stream_type, before = self._ends.get(
            entry.stream.id.bytes, (entry.stream.type, 0 if self._whole else entry.version - 1)
        )
        if entry.stream.type != stream_type:
            _wrong(number, entry, "stream type", f"{stream_type}, as of the events before", entry.stream.type)
        if entry.version != before + 1:
            _wrong(number, entry, "version", str(before + 1), str(entry.version))
        self._ends[entry.stream.id.bytes] = (stream_type, entry.version)

    def _check_event(self, number: int | None, entry: LogEntry) -> None:
        names = NAMES.get(entry.stream.type)
        if names is None:
            _wrong(number, entry, "stream type", f"one of {', '.join(sorted(NAMES))}", entry.stream.type)
        if entry.type not in names:
            _wrong(number, entry, "event type", f"an event of a {entry.stream.type}", entry.type)
        try:
            self._mapper.decode(entry.stream.id, entry.type, bytes(entry.data))
        except UnreadableEventError as error:
            _wrong(number, entry, "data", f"the data of {entry.type}", str(error))


def _parsed(number: int, line: bytes) -> tuple[dict[str, Any], LogEntry]:
    """A line twice: with all it says, for its hash, and as the entry that it must be."""
    try:
        fields = json.loads(line, object_pairs_hook=_unique)
        return fields, msgspec.json.decode(line, type=LogEntry)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        finding = Finding(what="entry", line=number, expected="a log entry in JSON", found=str(error))
        raise MismatchError(finding) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two members of one name, readers would choose differently: so RFC 8785 has no form for them."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that stands twice in one object")
    return found


def _hashed(number: int | None, entry: LogEntry, previous: bytes, behind: Callable[[bytes], bytes]) -> bytes:
    try:
        return behind(previous)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        _wrong(number, entry, "entry", "JSON that has a canonical form", str(error))


def _wrong(number: int | None, entry: LogEntry, what: str, expected: str, found: str) -> NoReturn:
    raise MismatchError(
        Finding(
            line=number,
            workspace_id=entry.workspace_id,
            seq=entry.seq,
            stream=entry.stream,
            event_type=entry.type,
            what=what,
            expected=expected,
            found=found,
        )
    )
