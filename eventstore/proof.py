"""Proves that one entry is in a log, to who has a signed head and not the log: by the links from the one to the other."""

from __future__ import annotations

from hashlib import sha256
from typing import Final, LiteralString
from uuid import UUID

import rfc8785

from domain.kernel import Refused, not_found
from eventstore.chain import GENESIS, entry_hash, leaf, timestamp
from eventstore.checkpoint import COLUMNS, as_checkpoint
from eventstore.database import Db, one
from eventstore.reader import read_log
from eventstore.verify import CheckpointCheck, MismatchError, Report
from schemas.verification import Checkpoint, Finding, Proof

MAX_LINKS: Final = 10_000
"""Entries between one that is proved and the signed head: the proof has 64 digits for each."""

_SEQ: Final[LiteralString] = "SELECT seq FROM events WHERE workspace_id = %s AND event_id = %s LIMIT 1"
_NEXT: Final[LiteralString] = f"""
    SELECT {COLUMNS} FROM log_checkpoints WHERE workspace_id = %s AND seq >= %s ORDER BY seq LIMIT 1
"""  # noqa: S608 - constants only


def seq_of_event(conn: Db, event_id: UUID) -> int:
    """Where an event is in the log; refuses with ``not_found``. Goes through the log: ids have no index of their own."""
    row = one(conn, _SEQ, (conn.workspace_id, event_id))
    if row is None:
        raise not_found("entry")
    return int(row[0])


def prove(conn: Db, seq: int) -> Proof:
    """The entry, and all that leads from it to the next signed head; inside ``reading``.

    Refuses with ``not_found``, and with ``conflict`` where no head behind it is signed yet, or none that is near.
    """
    checkpoint = _next(conn, seq)
    end = seq if checkpoint is None else checkpoint.seq
    if end - seq > MAX_LINKS:
        raise Refused(
            "conflict", f"The next signed head is {end - seq} entries behind; a proof has {MAX_LINKS} at most."
        )
    found = read_log(conn, after=max(0, seq - 2), limit=end - seq + 2, upto=end)
    before = [entry for entry in found if entry.seq < seq]
    entries = [entry for entry in found if entry.seq >= seq]
    if not entries or entries[0].seq != seq:
        raise not_found("entry")
    if checkpoint is None:
        raise Refused("conflict", "No head behind this entry is signed yet; POST /log/checkpoints signs one.")
    return Proof(
        entry=entries[0],
        previous_hash=before[0].hash if before else GENESIS.hex(),
        leaves=[leaf(entry).hex() for entry in entries[1:]],
        checkpoint=checkpoint,
    )


def _next(conn: Db, seq: int) -> Checkpoint | None:
    row = one(conn, _NEXT, (conn.workspace_id, seq))
    if row is None:
        return None
    at, hashed, signed_at, *rest = row
    return as_checkpoint(conn.workspace_id, at, hashed, timestamp(signed_at), *rest)


def check_proof(proof: Proof, trusted: list[str] | None = None) -> None:
    """That the entry is in the log whose head was signed: by one of these keys (hex or fingerprints), if there are any.

    Needs nothing else. Raises ``MismatchError`` saying what is wrong.
    """
    entry, checkpoint = proof.entry, proof.checkpoint
    if entry.workspace_id != checkpoint.workspace_id:
        raise _wrong(proof, "workspace of the checkpoint", str(entry.workspace_id), str(checkpoint.workspace_id))
    if entry.seq + len(proof.leaves) != checkpoint.seq:
        raise _wrong(proof, "links", str(checkpoint.seq - entry.seq), str(len(proof.leaves)))
    try:
        hashed = entry_hash(bytes.fromhex(proof.previous_hash), entry)
        if hashed.hex() != entry.hash:
            raise _wrong(proof, "hash", f"{hashed.hex()} by the entry's content", entry.hash)
        for each in proof.leaves:
            hashed = sha256(hashed + bytes.fromhex(each)).digest()
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise _wrong(proof, "proof", "hashes in hex, and JSON that has a canonical form", str(error)) from None
    CheckpointCheck(Report(), trusted).compare(checkpoint, hashed, checkpoint.seq)


def _wrong(proof: Proof, what: str, expected: str, found: str) -> MismatchError:
    entry = proof.entry
    return MismatchError(
        Finding(
            workspace_id=entry.workspace_id,
            seq=entry.seq,
            stream=entry.stream,
            event_type=entry.type,
            what=what,
            expected=expected,
            found=found,
        )
    )
