"""Verifies a bundle without database and network: what is in it, in passing, and what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, Final, Literal

from eventstore.bundle import cloudevent
from eventstore.bundle.archive import CutOffError
from eventstore.bundle.contents import MAX_CHECKPOINTS, Declaration
from eventstore.bundle.reading import Bundle, IncompleteError, wrong
from eventstore.checkpoint_links import check_among, check_consecutive, check_links
from eventstore.offline import Follower
from eventstore.verify import MismatchError, Progress, Report
from schemas.log import LogEntry
from schemas.verification import Checkpoint

Verdict = Literal["intact", "tampered", "incomplete"]
Each = Callable[[LogEntry], None]

MAX_EVENTS: Final = 20_000_000
"""Unless the caller wants more; each takes some 300 bytes of memory."""
_STEP: Final = 1_000


class TooLargeError(Exception):
    """The bundle declares more events than the caller wants to have in memory."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(f"it has {count:,} events, more than the {most:,} that are allowed for")


@dataclass
class Verified:
    """What was found: what it says that it is, what held, and why it is not complete, if it is not."""

    report: Report = field(default_factory=Report)
    declaration: Declaration | None = None
    incomplete: str | None = None

    @property
    def verdict(self) -> Verdict:
        if self.report.finding is not None:
            return "tampered"
        return "intact" if self.incomplete is None else "incomplete"


def verify_bundle(
    file: BinaryIO,
    *,
    checkpoints: Sequence[Checkpoint] = (),
    trusted: Collection[str] | None = None,
    progress: Progress = lambda *_: None,
    each: Each = lambda _: None,
    max_events: int = MAX_EVENTS,
) -> Verified:
    """Checks a bundle to its end, or up to the first thing that is wrong.

    ``checkpoints`` are such as were kept from before, besides those in the bundle. With ``trusted``, all of them must be
    signed with one of these public keys, and one of them must be of the last entry. ``each`` is given every entry, once
    it has been checked. Raises ``TooLargeError``, before the events are read.
    """
    found = Verified()
    try:
        bundle = Bundle(file)
        declaration = found.declaration = bundle.declaration
        if (count := declaration.last - declaration.first + 1) > max_events:
            raise TooLargeError(count, max_events)
        kept = _comparable(declaration, checkpoints)
        signed = [*bundle.checkpoints, *kept]
        start = (declaration.first - 1, bytes.fromhex(declaration.previous_hash))
        follower = Follower(found.report, signed, trusted, start, declaration.workspace_id)
        for entry in _followed(bundle, follower, found.report, progress):
            each(entry)
        _check_end(bundle, follower)
        _check_chained(bundle, kept, follower.met)
        _check_coverage(declaration, signed, checkpoints, trusted)
    except MismatchError as mismatch:
        found.report.finding = mismatch.finding
    except (IncompleteError, CutOffError) as error:
        found.incomplete = str(error)
    progress("log", found.report.events % _STEP)
    found.report.workspaces = int(found.declaration is not None)
    return found


def _followed(bundle: Bundle, follower: Follower, report: Report, progress: Progress) -> Iterator[LogEntry]:
    """The entries, each once it has been found to follow from the one before."""
    for entry in bundle.entries():
        if entry.seq > bundle.declaration.last:
            raise wrong("seq", f"{bundle.declaration.last} as the last, as is declared", str(entry.seq), entry.seq)
        follower.follow(entry, partial(cloudevent.hash_behind, entry))
        report.events += 1
        if report.events % _STEP == 0:
            progress("log", _STEP)
        yield entry


def _check_end(bundle: Bundle, follower: Follower) -> None:
    """All that was declared must be there, and all that was listed and signed."""
    declaration = bundle.declaration
    bundle.finish()
    if follower.seq < declaration.last:
        raise IncompleteError(f"events {follower.seq + 1} to {declaration.last}, which are declared, are missing")
    if follower.hash.hex() != declaration.last_hash:
        raise wrong("lastHash", f"{follower.hash.hex()}, of the last entry", declaration.last_hash, declaration.last)
    follower.end()


def _check_chained(bundle: Bundle, kept: Collection[Checkpoint], met: Collection[Checkpoint]) -> None:
    """The bundle has all heads that were signed in its range; where there are too many, the newest.

    ``met``: those and the ``kept`` ones that the log goes through, all of whose signatures hold.
    """
    start = bundle.declaration.first - 1
    of_range = (checkpoint for checkpoint in _of(bundle.declaration, bundle.checkpoints) if checkpoint.seq >= start)
    there = sorted(of_range, key=lambda checkpoint: checkpoint.seq)
    cut = len(there) >= MAX_CHECKPOINTS
    check_consecutive(there, whole=start == 0 and not cut)
    check_among(kept, there, start=there[0].seq if cut else start)
    check_links(met)


def _comparable(declaration: Declaration, kept: Iterable[Checkpoint]) -> list[Checkpoint]:
    """The kept heads that the bundle must go through; also one of an entry that the log had, and is said not to have."""
    return [
        checkpoint
        for checkpoint in _of(declaration, kept)
        if declaration.first - 1 <= checkpoint.seq <= declaration.last or _contradicts(declaration, checkpoint)
    ]


def _contradicts(declaration: Declaration, checkpoint: Checkpoint) -> bool:
    return checkpoint.seq > declaration.log_end and checkpoint.signed_at <= declaration.made_at


def _check_coverage(
    declaration: Declaration,
    signed: Iterable[Checkpoint],
    kept: Iterable[Checkpoint],
    trusted: Collection[str] | None,
) -> None:
    """No kept head may lie behind the end; and where somebody is trusted, they must have signed the last entry."""
    last = declaration.last
    beyond = max((checkpoint.seq for checkpoint in _of(declaration, kept)), default=0)
    if beyond > last:
        raise IncompleteError(f"there is a kept head of event {beyond}, and the bundle ends with {last}")
    covered = max((checkpoint.seq for checkpoint in _of(declaration, signed)), default=declaration.first - 1)
    if trusted is not None and covered < last:
        raise IncompleteError(f"no head signed with a trusted key covers events {covered + 1} to {last}")


def _of(declaration: Declaration, checkpoints: Iterable[Checkpoint]) -> Iterator[Checkpoint]:
    return (checkpoint for checkpoint in checkpoints if checkpoint.workspace_id == declaration.workspace_id)
