"""Looking at a workspace's log in tests."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from eventstore.chain import GENESIS, entry_hash
from eventstore.database import Pool, reading
from eventstore.mapper import EventMapper
from eventstore.reader import head, read_log, with_opened
from schemas.log import LogEntry


def whole_log(pool: Pool, workspace_id: UUID) -> list[LogEntry]:
    with reading(pool, workspace_id) as conn:
        return read_log(conn, limit=1_000_000)


def opened_log(pool: Pool, workspace_id: UUID) -> list[LogEntry]:
    """The same, of which what is sealed is opened, as who is told of events is."""
    with reading(pool, workspace_id) as conn:
        entries = with_opened(conn, read_log(conn, limit=1_000_000), EventMapper())
    return [entry if entry.opened is UNSET else replace(entry, data=entry.opened, opened=UNSET) for entry in entries]


def types(pool: Pool, workspace_id: UUID) -> list[str]:
    """What happened, by name."""
    return [entry.type for entry in whole_log(pool, workspace_id)]


def log_end(pool: Pool, workspace_id: UUID) -> tuple[int, bytes]:
    with reading(pool, workspace_id) as conn:
        return head(conn)


def check_chain(entries: Sequence[LogEntry], end: tuple[int, bytes]) -> None:
    """Without a gap from 1 to the head, each bound to the one before by its hash."""
    assert [entry.seq for entry in entries] == list(range(1, end[0] + 1))
    previous = GENESIS
    for entry in entries:
        previous = entry_hash(previous, entry)
        assert previous.hex() == entry.hash, f"the hash of entry {entry.seq}"
    assert previous == end[1]


def count(pool: Pool, workspace_id: UUID, kind: str) -> int:
    """A number of ``row_counts``."""
    with reading(pool, workspace_id) as conn:
        row = conn.execute(
            "SELECT n FROM row_counts WHERE workspace_id = current_workspace() AND kind = %s", (kind,)
        ).fetchone()
    return 0 if row is None else int(row[0])
