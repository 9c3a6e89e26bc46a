"""What refers to what: worked out from the states of all kinds of streams, whose fields say it (``domain/kernel/fields.py``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.kernel import Command, Decider, Ended, Refused
from domain.kernel.fields import Reference
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


def still_referred(what: str, referring: Referring) -> Refused:
    """The refusal to end a thing that others cannot do without."""
    table, reference = referring
    return Refused("conflict", f"This {what} cannot go: a {table.noun} still has it as {reference.wire}.")


def as_ended(key: UUID, current: Current[Any]) -> Ended:
    """A thing as those who let go of it remember it."""
    return Ended(key, getattr(current.state, "name", ""))


def consequence(decider: Decider[Any, Any, Any], on_end: str, field: str, ended: Ended) -> Command:
    """The command by which a stream answers the end of what it refers to."""
    if on_end == "cascade":
        assert decider.delete is not None, f"{decider.stream_type} must say by which command it ends"
        command: Command = decider.delete()
    else:
        assert decider.unset is not None, f"{decider.stream_type} must say how it lets go of {field}"
        command = decider.unset(field, ended)
    return command
