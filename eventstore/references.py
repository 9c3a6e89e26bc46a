"""What refers to what: worked out from the states of all kinds of streams, whose fields say it (``domain/kernel/fields.py``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.kernel import Command, Decider, Ended, Refused, invalid
from domain.kernel.fields import Reference
from eventstore import endings
from eventstore.database import Db
from eventstore.rows import Current, Registry, Rows

Referring = tuple[Rows, Reference]
"""The rows that refer to a thing, and by which field."""


class References:
    """By kind, who refers to it. Raises ``ValueError`` for a field that refers to a kind which there is not."""

    def __init__(self, rows: Registry) -> None:
        self._to: defaultdict[str, list[Referring]] = defaultdict(list)
        for table in rows.values():
            for reference in table.references:
                if reference.to.kind not in rows:
                    message = (
                        f"{table.decider.stream_type}.{reference.field} refers to {reference.to.kind}, which is no kind"
                    )
                    raise ValueError(message)
                self._to[reference.to.kind].append((table, reference))

    def to(self, kind: str) -> Sequence[Referring]:
        return self._to.get(kind, ())

    def check_shared(self, conn: Db, rows: Rows, key: UUID, visible_to: UUID | None, *, ending: bool = False) -> None:
        """Refuses (``permission_denied``) to let who sees only what is theirs change or end what others' things refer to.

        What only some see is for those to change, whoever refers to it, and so is who they are themselves; its end would
        change the others.
        """
        if visible_to is None or (not ending and (rows.limited or key == visible_to)):
            return
        for table, reference in self.to(rows.decider.stream_type):
            if table.limited and table.hides_referring(conn, reference, key, visible_to):
                message = (
                    f"A {table.noun} that you may not see has this {rows.noun}: others have to change or delete it."
                )
                raise Refused("permission_denied", message)


def goes_on(conn: Db, rows: Rows, key: UUID) -> UUID:
    """What goes on in the place of a thing that is no more, or on its way out; itself where nothing does."""
    key = key if rows.leads_to is None else rows.leads_to(conn, key)
    ending = endings.look(conn, rows.decider.stream_type, [key]).get(key)
    return key if ending is None else ending.successor or key


def still_referred(what: str, referring: Referring) -> Refused:
    """The refusal to end a thing that others cannot do without."""
    table, reference = referring
    return Refused("conflict", f"This {what} cannot go: a {table.noun} still has it as {reference.wire}.")


class Going:
    """The names of things on their way out, each looked for once, for those who would refer to them."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, UUID], str | None] = {}

    def refusal(self, conn: Db, rows: Rows, keys: Sequence[UUID], field: str) -> Refused:
        """Why nobody can refer to these, of which none stands: there is no such, or it is being deleted."""
        kind = rows.decider.stream_type
        if unknown := [key for key in keys if (kind, key) not in self._names]:
            self._names.update({(kind, key): None for key in unknown})
            self._names.update({(kind, key): name for key, name in _going(conn, rows, unknown).items()})
        named = {key: self._names[kind, key] for key in keys}
        if missing := [str(key) for key, name in named.items() if name is None]:
            return invalid(field, f"no such {rows.noun}: {', '.join(missing[:5])}")
        names = ", ".join(name for name in list(named.values())[:5] if name)
        what = "deleted" if rows.leads_to is None else "deleted or merged into another"
        return invalid(field, f"being {what}, so that nothing can have it any more: {names}")


def _going(conn: Db, rows: Rows, keys: Sequence[UUID]) -> dict[UUID, str]:
    """Of these things those on their way out that the caller may see, by what they are called."""
    going = endings.look(conn, rows.decider.stream_type, keys)
    found = rows.load(conn, list(going)) if going else {}
    seen = {key: current for key, current in found.items() if rows.visible(conn, current, conn.visible_to)}
    return {key: as_ended(key, current).name or str(key) for key, current in seen.items()}


def as_ended(key: UUID, current: Current[Any]) -> Ended:
    """A thing as those who let go of it remember it."""
    return Ended(key, getattr(current.state, "name", ""))


def consequence(decider: Decider[Any, Any, Any], on_end: str, path: str, ended: Ended) -> Command:
    """The command by which a stream answers the end of what it refers to."""
    if on_end == "cascade":
        assert decider.delete is not None, f"{decider.stream_type} must say by which command it ends"
        command: Command = decider.delete()
    else:
        assert decider.unset is not None, f"{decider.stream_type} must say how it lets go of {path}"
        command = decider.unset(path, ended)
    return command
