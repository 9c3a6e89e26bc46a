"""Why a field is as it is: the last event that changed it, and from event to event what caused that, up to a command."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, LiteralString
from uuid import UUID

from domain.kernel import State, invalid
from domain.kernel.fields import is_map
from domain.kernel.money import Money, amounts
from eventstore.database import Db, one
from eventstore.mapper import EventMapper
from eventstore.moment import seq_of
from eventstore.reader import ENTRY_COLUMNS, entry, head
from projections import history, job
from projections.catalogue import ROWS
from projections.history import LAST_SEQ, Path, Step, Subject
from projections.object_record_past import stood
from schemas.history_cause import ByJob, CauseLink, ExplanationView
from schemas.log import LogEntry

MAX_LINKS: Final = 100

_AROUND: Final = (timedelta(minutes=5), timedelta(hours=1))
"""Before and after the time in an event's id it may have been recorded: clocks differ, and units of work take a while."""
_TIMED: Final = 7
"""The version of ids that have a time in them (RFC 9562)."""
_EVENT: Final[LiteralString] = f"""
    SELECT {ENTRY_COLUMNS} FROM events
    WHERE workspace_id = %s AND seq > %s AND seq <= %s AND event_id = %s LIMIT 1
"""


def explained(
    conn: Db, mapper: EventMapper, subject: Subject, field: str, upto_seq: int | None = None
) -> ExplanationView:
    """Why a field of a thing is as it is now, or was at a seq of the log. ``field`` is one of the thing's own, or of one
    that is a map a key (``customFields.plan``); refuses (``validation_failed``) others, and as the history does.
    """
    path = _path(subject.table.decider.state, field)
    newest = subject.newest(conn, mapper)
    version = newest if upto_seq is None else subject.upto(conn, upto_seq)
    standing = subject.at(conn, mapper, version), LAST_SEQ if upto_seq is None else upto_seq
    setting = next((step for step in subject.back(conn, mapper, version) if _sets(step, path)), None)
    before = (None, 0) if setting is None else (setting.before, setting.entry.seq)
    value, was = (_at(state, path) for state in stood(conn, [standing, before]))
    if setting is None:
        return ExplanationView(field=field, value=value, was=None, ever_set=False, chain=[], job=None, truncated=False)
    entries, truncated = _chain(conn, setting.entry, subject.visible_to)
    people = history.who(conn, [found.seq for found in entries])
    return ExplanationView(
        field=field,
        value=value,
        was=was,
        ever_set=True,
        chain=[_link(found, people) for found in entries],
        job=_job(conn, setting.entry, subject.visible_to),
        truncated=truncated,
    )


def _path(kind: type[State], field: str) -> Path:
    known = _known(kind)
    name, dot, key = field.partition(".")
    if name not in known or (dot and not is_map(kind, known[name])):
        raise invalid("field", f"must be one of {', '.join(_named(kind))}")
    return (name, key) if dot else (name,)


@cache
def _known(kind: type[State]) -> dict[str, str]:
    """By the names that callers use, the fields of a state; a currency is that of the amount beside it."""
    found = dict(zip(history.names(kind), kind.__struct_fields__, strict=True))
    for amount in amounts(kind):
        found["currency"] = found[amount]
    return found


@cache
def _named(kind: type[State]) -> list[str]:
    """What can be asked for, in the words of an error."""
    pairs = _known(kind).items()
    return [name for wire, own in pairs for name in ([wire, f"{wire}.<key>"] if is_map(kind, own) else [wire])]


def _at(state: State | None, path: Path) -> Any:
    """What a thing has there, as JSON."""
    if state is None:
        return None
    value = getattr(state, _known(type(state))[path[0]])
    if isinstance(value, Money):
        return value.currency if path[0] == "currency" else value.decimal
    value = history.as_json(value)
    return value.get(path[1]) if len(path) > 1 else value


def _sets(step: Step, path: Path) -> bool:
    """Whether the event changed it, as far as that can be read, or had it once, and it was erased since."""
    return ".".join(path) in step.happened.erased or history.differs(
        path, _at(step.before, path), _at(step.after, path)
    )


# The chain.


def _chain(conn: Db, first: LogEntry, visible_to: UUID | None) -> tuple[list[LogEntry], bool]:
    """An event and its causes, each behind what it led to; and whether there are more than are told.

    Who sees only what is theirs is told of causes up to the first that happened to something that they do not see.
    """
    found, cause = [first], first.meta.causation_id
    while cause is not None:
        link = _event(conn, cause) if len(found) < MAX_LINKS else None
        if link is None or link.id in {known.id for known in found} or not _is_seen(conn, link, visible_to):
            return found, True
        found.append(link)
        cause = link.meta.causation_id
    return found, False


def _event(conn: Db, event_id: UUID) -> LogEntry | None:
    """The event of this id in the workspace: its id says about when it was recorded."""
    first, last = _recorded_about(conn, event_id)
    row = one(conn, _EVENT, (conn.workspace_id, first, last, event_id))
    return None if row is None else entry(conn.workspace_id, row)


def _recorded_about(conn: Db, event_id: UUID) -> tuple[int, int]:
    """Behind which seq of the log, and up to which, an event of this id is."""
    first, last = 0, head(conn)[0]
    if event_id.version == _TIMED:
        before, after = _AROUND
        made = datetime.fromtimestamp((event_id.int >> 80) / 1000, UTC)
        now = datetime.now(UTC) - before
        first = seq_of(conn, min(made - before, now).isoformat())
        last = seq_of(conn, (made + after).isoformat()) if made + after < now else last
    return first, last


def _is_seen(conn: Db, link: LogEntry, visible_to: UUID | None) -> bool:
    table = ROWS.get(link.stream.type)
    if visible_to is None:
        return True
    if table is None or not table.limited:
        return table is not None
    now = table.load(conn, [link.stream.id]).get(link.stream.id)
    return now is not None and table.visible(conn, now, visible_to)


def _link(found: LogEntry, people: history.People) -> CauseLink:
    return CauseLink(**history.happening(found, people), entity_type=found.stream.type, entity_id=found.stream.id)


def _job(conn: Db, found: LogEntry, visible_to: UUID | None) -> ByJob | None:
    """All that a job does bears its id."""
    job_id = found.meta.correlation_id
    kind = job.kind_of(conn, job_id, visible_to)
    return None if kind is None else ByJob(id=job_id, kind=kind)
