"""Every text that a command brings says how it is kept, so that no door lets in what another keeps out."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from domain.catalogue import DECIDERS
from domain.kernel import Command, Refused
from domain.kernel.fields import keepers

COMMANDS = [command for decider in DECIDERS.values() for command in decider.commands]
TOLD_BY_OTHERS = {
    "CreateInvitation.invited_by_name",
    "ResendInvitation.invited_by_name",
    "TagContact.tags",
    "UntagContact.tags",
    "CreateContact.tags",
    "CreateDeal.stage",
    "MoveDeal.at",
    "MoveDeal.to",
    "DismissDuplicate.contact_name",
    "DismissDuplicate.other_name",
    "MergeContact.loser_name",
    "MergeContact.changes",
    "MergeContact.tags",
    "UnmergeContact.loser_name",
    "UnmergeContact.changes",
    "UnmergeContact.tags",
    "RecordContactMerge.winner_name",
    "RecordContactMerge.loser_name",
    "RecordContactMerge.loser",
    "RecordContactMerge.changed",
    "RecordContactMerge.previous",
    "RecordContactMerge.tags",
    "RecordContactMerge.moved",
    "BeginContactMerge.winner_name",
    "BeginContactMerge.loser_name",
    "BeginContactMerge.loser",
    "BeginContactMerge.changed",
    "BeginContactMerge.previous",
    "BeginContactMerge.tags",
    "MoveInContactMerge.moved",
    "PutBackInContactMerge.moved",
    "EraseContact.unreadable",
    "EraseContact.goes_on",
    "FailImport.reason",
    "FailCompanyImport.reason",
    "FailDealImport.reason",
}
"""What no caller writes: names of tags and stages and fields of contacts as their own commands kept them, and what Daybook itself says."""


def texts(command: type[Command]) -> list[str]:
    """The fields that text can be in, wherever in their type."""
    hints = get_type_hints(command)
    return [name for name in command.__struct_fields__ if _has_text(hints[name])]


def _has_text(hint: Any) -> bool:
    if hint is str:
        return True
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return any(_has_text(inner) for inner in get_type_hints(hint).values())
    return any(_has_text(inner) for inner in getattr(hint, "__args__", ()) if not isinstance(inner, str))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_every_text_says_how_it_is_kept(command: type[Command]) -> None:
    said = {name for name, _, _ in keepers(command)}
    missing = {f"{command.__name__}.{name}" for name in texts(command) if name not in said}
    assert missing <= TOLD_BY_OTHERS


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_nothing_is_kept_that_has_no_end(command: type[Command]) -> None:
    """Whatever kind of text it is, 100,000 characters and control characters are no such."""
    for name, _, keep in keepers(command):
        for text in ("x" * 100_000, "a\0b"):
            for value in _with(get_type_hints(command)[name], text):
                with pytest.raises((ValueError, Refused), match=r"must|Not acceptable"):
                    keep(value)


def _with(hint: Any, text: str) -> list[Any]:
    """Values of a type that have this text in them, wherever it can be."""
    if hint is str:
        return [text]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        hints = get_type_hints(hint)
        needed = {field.name: _any(hints[field.name]) for field in msgspec.structs.fields(hint) if field.required}
        texts = ((name, value) for name in hint.__struct_fields__ for value in _with(hints[name], text))
        return [hint(**{**needed, name: value}) for name, value in texts]
    inner = [value for part in get_args(hint) for value in _with(part, text)]
    kind = get_origin(hint)
    if kind is dict:
        return [{"x": text}] if inner else []
    return [(value,) for value in inner] if kind is tuple else inner


def _any(hint: Any) -> Any:
    """What a field can be that has to be there."""
    return get_args(hint)[0] if get_origin(hint) is Literal else "x"
