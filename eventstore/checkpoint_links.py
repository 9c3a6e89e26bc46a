"""What checkpoints say of each other where only some of them are at hand: those of a bundle, and those that were kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from eventstore.chain import GENESIS
from eventstore.checkpoint import digest
from eventstore.verify import check_follows, check_kept
from schemas.verification import Checkpoint


def check_consecutive(checkpoints: Sequence[Checkpoint], *, whole: bool) -> None:
    """That of these, in order of ``seq``, none is missing in between; where they are ``whole``, before the first either.

    Raises ``MismatchError`` naming where it was.
    """
    if whole and checkpoints:
        check_follows(None, checkpoints[0])
    for before, checkpoint in pairwise(checkpoints):
        check_follows(before, checkpoint)


def check_among(kept: Collection[Checkpoint], there: Sequence[Checkpoint], start: int) -> None:
    """That each that was kept, from entry ``start`` up to the last of those that are ``there``, is one of these.

    Raises ``MismatchError`` at the first that is not. One behind the last may have been signed since.
    """
    digests = {checkpoint.seq: digest(checkpoint) for checkpoint in there}
    last = max(digests, default=-1)
    for checkpoint in sorted(kept, key=_seq):
        if start <= checkpoint.seq <= last:
            check_kept(checkpoint, digests, "bundled")


def check_links(checkpoints: Collection[Checkpoint]) -> None:
    """That of some checkpoints of a workspace no two contradict each other, whatever was signed between them.

    There is one of an entry at most, and none can have been between two where the ``seq`` of the one is next to the other's, or where the one before is at hand too.
    Raises ``MismatchError`` at the first that cannot be behind the one before it.
    """
    known = {digest(checkpoint): checkpoint for checkpoint in sorted(checkpoints, key=_seq)}
    for before, checkpoint in pairwise(known.values()):
        if checkpoint.seq == before.seq:
            check_kept(checkpoint, {before.seq: digest(before)}, "given")
        named = checkpoint.previous in (None, GENESIS.hex()) or checkpoint.previous in known
        if named or checkpoint.seq == before.seq + 1:
            check_follows(before, checkpoint)


def _seq(checkpoint: Checkpoint) -> int:
    return checkpoint.seq
