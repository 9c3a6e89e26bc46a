"""``daybook verify``: what was checked, and the first thing that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import msgspec

from daybook.settings import SettingsError
from eventstore.bundle.contents import MAX_LINE
from eventstore.migrate import connect
from eventstore.offline import verify_file
from eventstore.printed import WORD, from_line
from eventstore.verify import Progress, Report
from projections.verify import verify
from schemas.verification import Checkpoint

Say = Callable[[str], None]


def verify_installation(
    url: str,
    workspaces: Sequence[UUID],
    checkpoints: Path | None,
    trusted: Collection[str] | None,
    progress: Progress,
    say: Say,
) -> int:
    """Verifies the database's logs and rows; 0 when all is well, else 1. Raises ``SettingsError`` if there are none."""
    kept = kept_checkpoints(checkpoints)
    with connect(url) as conn:
        report = verify(conn, workspaces=list(workspaces) or None, checkpoints=kept, trusted=trusted, progress=progress)
    if not report.workspaces and report.finding is None:
        raise SettingsError("there is no workspace in this database: nothing was verified")
    return _told(report, f"{report.rows} rows are what the log adds up to", say)


def verify_export(export: Path, checkpoints: Path | None, trusted: Collection[str] | None, say: Say) -> int:
    """Verifies an exported log, without a database; 0 when all is well, else 1."""
    with export.open("rb") as file:
        # A line that never ends is read in pieces, of which none is an entry.
        lines = iter(partial(file.readline, MAX_LINE + 1), b"")
        report = verify_file(lines, checkpoints=kept_checkpoints(checkpoints), trusted=trusted)
    return _told(report, "rows are not in an export", say)


def _told(report: Report, rows: str, say: Say) -> int:
    if report.finding is not None:
        say(f"WRONG: {report.finding}")
        say(f"checked up to there: {report.workspaces} workspaces whole, {report.events} events, {report.rows} rows")
        return 1
    say(f"workspaces   {report.workspaces}")
    say(f"events       {report.events}, without a gap, each chained to the one before")
    tell_checkpoints(report, say)
    if report.unsigned:
        say(f"not signed   {report.unsigned} events behind the last checkpoints: these rest on the chain alone")
    say(f"rows         {rows}")
    if report.lost:
        say(
            f"lost keys    {report.lost} contacts have none, though nobody erased them: what is sealed with it cannot be read"
        )
    if not report.viewed:
        say("views        were not compared: nothing can be made on this server")
    if not report.protected:
        say("tenants      what keeps them apart was not looked at: nothing can be made on this server")
    say("all is well")
    return 0


def tell_checkpoints(report: Report, say: Say) -> None:
    """How many there are, and how many of them the key of each fingerprint signed."""
    say(f"checkpoints  {report.checkpoints} signed heads, met by the log")
    for key, count in report.keys.items():
        say(f"signed by    {key}, {count} of them")


def kept_checkpoints(path: Path | None) -> list[Checkpoint]:
    """Signed heads from a file, each a line: a JSON object, or as ``daybook audit checkpoint --print`` has it.

    Raises ``SettingsError`` naming the line that is none.
    """
    kept = []
    for number, line in enumerate(path.read_bytes().splitlines() if path else (), 1):
        if line.strip():
            try:
                kept.append(_kept(line))
            except (msgspec.MsgspecError, ValueError) as error:
                raise SettingsError(f"{path}, line {number}: is no checkpoint: {error}") from error
    return kept


def _kept(line: bytes) -> Checkpoint:
    if line.lstrip().startswith(WORD.encode()):
        return from_line(line.decode())
    return msgspec.json.decode(line, type=Checkpoint)
