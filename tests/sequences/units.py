"""Units of work to be carried out in a workspace: some commands, whole or in parts that are refused by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from application import custom_field
from domain.catalogue import DECIDERS
from domain.custom_field import UpdateCustomField
from domain.kernel import Command, Decider, Refused
from eventstore.rows import Current
from eventstore.work import Work
from projections.catalogue import ROWS
from schemas.custom_field import CustomFieldPatch
from tests.sequences.commands import Draw, Maker

How = Literal["with the rest", "by itself", "taken back"]
MOST: Final = 3
"""Commands of one part, and parts of one unit of work."""
LATEST: Final = 4
"""Of each kind so many are meant more often than those before,"""
OFTEN: Final = 8
"""and so much more often than what there is not."""


def _redefined(unit: Work, stream_id: UUID, command: UpdateCustomField) -> None:
    custom_field.update(unit, stream_id, msgspec.convert(msgspec.to_builtins(command), CustomFieldPatch))


DOORS: Final[dict[type[Command], Callable[[Work, UUID, Any], None]]] = {UpdateCustomField: _redefined}
"""Commands with a rule that only their use case knows: what is kept of a field's values stays while there are some."""


@dataclass(frozen=True)
class Wish:
    """A command for a stream."""

    kind: str
    stream_id: UUID
    command: Command

    def carry_out(self, unit: Work, known: Iterable[UUID]) -> None:
        decider = DECIDERS[self.kind]
        if (door := DOORS.get(type(self.command))) is not None:
            door(unit, self.stream_id, self.command)
        elif isinstance(self.command, decider.commands[0]) and self.stream_id not in known:
            unit.begin(decider, self.stream_id, self.command)
        else:
            unit.execute(decider, self.stream_id, self.command)


@dataclass(frozen=True)
class Part:
    wishes: tuple[Wish, ...]
    how: How

    def carry_out(self, unit: Work, known: Iterable[UUID]) -> None:
        if self.how == "with the rest":
            return self._all(unit, known)
        with suppress(Refused):
            unit.all_or_nothing(partial(self._all, unit, known))
        return None

    def _all(self, unit: Work, known: Iterable[UUID]) -> None:
        for wish in self.wishes:
            wish.carry_out(unit, known)
        if self.how == "taken back":
            raise Refused("conflict", "It was not meant.")


@dataclass(frozen=True)
class Unit:
    """``visible_to``: the member who acts and sees only what is theirs; none: somebody who sees all."""

    parts: tuple[Part, ...]
    bulk: bool
    visible_to: UUID | None

    def carry_out(self, known: Iterable[UUID], unit: Work) -> Mapping[tuple[str, UUID], Current[Any] | None]:
        """Answers the streams that it has changed, as they stand then."""
        for part in self.parts:
            part.carry_out(unit, known)
        return unit.after


@dataclass
class Known:
    """What there is in a workspace by kind, the ids of streams with what others refer to them by; and what has ended."""

    standing: dict[str, dict[UUID, UUID]] = field(default_factory=lambda: {kind: {} for kind in DECIDERS})
    ended: dict[str, dict[UUID, UUID]] = field(default_factory=lambda: {kind: {} for kind in DECIDERS})
    count: int = 0

    def new_id(self) -> UUID:
        """One that no stream of the workspace has; the same again in the same sequence, so that a failure can be told."""
        self.count += 1
        return UUID(int=0x0198C6F27D3A7C4E9B1F000000000000 + self.count)

    def note(self, changed: Mapping[tuple[str, UUID], Current[Any] | None]) -> None:
        for (kind, stream_id), current in changed.items():
            if current is not None:
                self.ended[kind].pop(stream_id, None)
                self.standing[kind][stream_id] = ROWS[kind].key_of(current)
            elif (key := self.standing[kind].pop(stream_id, None)) is not None:
                self.ended[kind][stream_id] = key

    def all_ids(self) -> set[UUID]:
        return {stream_id for found in (self.standing, self.ended) for ids in found.values() for stream_id in ids}


@dataclass
class Planner:
    """Makes a unit of work for a workspace, by what is known of it and of another that it has nothing to do with."""

    draw: Draw
    here: Known
    elsewhere: Known
    planned: dict[str, list[UUID]] = field(default_factory=lambda: {kind: [] for kind in DECIDERS})
    """Ids of what the unit of work is about to make."""

    def unit(self) -> Unit:
        parts = tuple(self._part() for _ in range(self._one(range(1, MOST + 1))))
        members = list(self.here.standing["membership"].values())
        visible_to = self._one(members) if members and self._one((False, False, False, True)) else None
        return Unit(parts, self._one((False, True)), visible_to)

    def first(self, kind: str, least: int) -> Unit:
        """One that makes something of this kind, given at least so many of the fields that it can be without."""
        return Unit((Part((self._begun(DECIDERS[kind], least=least),), "with the rest"),), bulk=False, visible_to=None)

    def _part(self) -> Part:
        how: How = self._one(("with the rest", "with the rest", "by itself", "by itself", "taken back"))
        return Part(tuple(self._wish() for _ in range(self._one(range(1, MOST + 1)))), how)

    def _wish(self) -> Wish:
        decider = DECIDERS[self._one(sorted(DECIDERS))]
        known = [*self.here.standing[decider.stream_type], *self.planned[decider.stream_type]]
        if not known or self._one((False, False, True)):
            return self._begun(decider, least=self._one((0, 6)))
        stream_id = self._one([*known, *known[-LATEST:], *list(self.here.ended[decider.stream_type])[-1:]])
        return Wish(decider.stream_type, stream_id, self._maker().make(self._one(decider.commands[1:])))

    def _begun(self, decider: Decider[Any, Any, Any], *, least: int = 0) -> Wish:
        """Something new, or something that has ended and begins again."""
        command = self._maker().make(decider.commands[0], least)
        stream_id = self._one([self.here.new_id(), *list(self.here.ended[decider.stream_type])[-1:]])
        key = ROWS[decider.stream_type].key
        self.planned[decider.stream_type].append(stream_id if key == "id" else getattr(command, key))
        return Wish(decider.stream_type, stream_id, command)

    def _maker(self) -> Maker:
        return Maker(self.draw, self._ids)

    def _ids(self, kind: str | None) -> list[UUID]:
        """What an id may be: of a thing that stands, one that the unit makes, and now and then of one that is no more,
        another's, or of nothing."""
        kinds = sorted(DECIDERS) if kind is None or kind not in DECIDERS else [kind]
        standing = [key for one in kinds for key in [*self.here.standing[one].values(), *self.planned[one]]]
        ended = [key for one in kinds for key in list(self.here.ended[one].values())[-1:]]
        others = [key for one in kinds for key in list(self.elsewhere.standing[one].values())[-1:]]
        return [*standing, *standing[-LATEST:] * OFTEN, *ended, *others, UUID(int=7)]

    def _one(self, among: Any) -> Any:
        return self.draw(st.sampled_from(among))


@st.composite
def units(draw: Draw, here: Known, elsewhere: Known) -> Unit:
    return Planner(draw, here, elsewhere).unit()


@st.composite
def firsts(draw: Draw, kind: str, here: Known, elsewhere: Known, least: int) -> Unit:
    return Planner(draw, here, elsewhere).first(kind, least)
