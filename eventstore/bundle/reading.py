"""Reads a bundle from the first byte to the last, each file within its limits, and holds it to its manifest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, Final, TypeVar

import msgspec

from domain.kernel import Value
from eventstore.bundle import cloudevent
from eventstore.bundle.archive import Member, StrangeError, lines, members
from eventstore.bundle.contents import (
    CHECKPOINTS,
    DECLARATION,
    KEYS,
    MANIFEST,
    MAX_CHECKPOINTS,
    Declaration,
    File,
    Manifest,
    events_name,
    file_of,
    keys_of,
    manifest,
    written,
)
from eventstore.verify import MismatchError
from schemas.log import LogEntry
from schemas.verification import Checkpoint, Finding

V = TypeVar("V", bound=Value)
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_EVENTS: Final = re.compile(r"events/\d{8}\.ndjson\.gz")


class IncompleteError(Exception):
    """The bundle has not all that it says that it has."""


class Bundle:
    """An open bundle, of which the files before the events have been read.

    It raises ``MismatchError`` where it is not as it must be, and ``IncompleteError`` where it lacks something.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._members = members(file)
        self._ahead: Member | None = None
        self._files: list[File] = []
        self._types = Counter[str]()
        self._last: int | None = None
        self.declaration = _decoded(DECLARATION, self._next(DECLARATION), Declaration)
        _check_range(self.declaration)
        self._last = self.declaration.first - 1
        keys = self._next(KEYS)
        self.checkpoints = _checkpoints(self._next(CHECKPOINTS))
        if keys != keys_of(self.checkpoints):
            raise wrong(KEYS, "the public keys that have signed the checkpoints", "others")

    def entries(self) -> Iterator[LogEntry]:
        """The entries of all files of events, one at a time."""
        number = 1
        while self._name_ahead() not in (MANIFEST, None):
            yield from self._part(events_name(number))
            number += 1

    def finish(self) -> None:
        """Behind the entries: the manifest must be that of the files that were read, to the byte, and the end."""
        expected = manifest(self.declaration, self._files, self._types)
        content = self._next(MANIFEST)
        if content != expected:
            _differs(msgspec.json.decode(expected, type=Manifest), _decoded(MANIFEST, content, Manifest))
        if self._following() is not None:
            raise wrong(MANIFEST, "nothing behind it", "another file")

    def _part(self, name: str) -> Iterator[LogEntry]:
        content, first = self._next(name), self._behind
        try:
            for line in lines(content):
                entry = cloudevent.read(line)
                yield entry
                self._types[entry.type] += 1
                self._last = entry.seq
        except StrangeError as error:
            raise wrong(name, "lines packed by gzip, within limits", str(error), self._behind) from None
        except cloudevent.NoEventError as error:
            raise wrong(name, "an entry of the log as a CloudEvent", str(error), self._behind) from None
        self._files[-1] = msgspec.structs.replace(self._files[-1], first=first, last=self._last)

    @property
    def _behind(self) -> int | None:
        """The seq of the entry that is to be read next."""
        return None if self._last is None else self._last + 1

    def _next(self, name: str) -> bytes:
        """The content of the next file, which must be of this name."""
        found = self._name_ahead()
        if found != name:
            raise self._instead(name, found)
        assert self._ahead is not None
        content, self._ahead = self._ahead.content, None
        self._files.append(file_of(name, content))
        return content

    def _name_ahead(self) -> str | None:
        self._ahead = self._ahead or self._following()
        return None if self._ahead is None else self._ahead.name

    def _following(self) -> Member | None:
        try:
            return next(self._members, None)
        except StrangeError as error:
            raise wrong("archive", "the files of a bundle", str(error), self._behind) from None

    def _instead(self, name: str, found: str | None) -> Exception:
        """Files come in order of name: where another comes that has its place later, this one is missing."""
        known = found in (None, KEYS, CHECKPOINTS, MANIFEST) or _EVENTS.fullmatch(found or "")
        if known and (found is None or found > name):
            at = "" if self._behind is None else f", with the events from {self._behind} on"
            return IncompleteError(f"{name} is missing{at}")
        return wrong("archive", f"the file {name}", repr(found), self._behind)


def wrong(what: str, expected: str, found: str, seq: int | None = None) -> MismatchError:
    return MismatchError(Finding(what=what, expected=expected, found=found, seq=seq))


def _decoded(name: str, content: bytes, form: type[V]) -> V:
    """What a file of JSON says, which it does in one form only."""
    try:
        found = msgspec.json.decode(content, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise wrong(name, "JSON as a bundle has it there", str(error)) from None
    if written(found) != content:
        raise wrong(name, "the canonical form of RFC 8785", "another, or a name that stands twice")
    return found


def _check_range(declaration: Declaration) -> None:
    if not 1 <= declaration.first <= declaration.last <= declaration.log_end:
        found = f"{declaration.first} to {declaration.last} of {declaration.log_end}"
        raise wrong(DECLARATION, "a range of the log", found)
    for given in (declaration.previous_hash, declaration.last_hash):
        if not _HASH.fullmatch(given):
            raise wrong(DECLARATION, "hashes in hex", repr(given))


def _checkpoints(content: bytes) -> list[Checkpoint]:
    found = content.splitlines()
    if len(found) > MAX_CHECKPOINTS:
        raise wrong(CHECKPOINTS, f"{MAX_CHECKPOINTS:,} at most", f"{len(found):,}")
    try:
        return [msgspec.json.decode(line, type=Checkpoint) for line in found]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise wrong(CHECKPOINTS, "a signed head in each line", str(error)) from None


def _differs(expected: Manifest, found: Manifest) -> None:
    """Says in what the manifest differs from what was read."""
    for place, (listed, file) in enumerate(zip(found.files, expected.files, strict=False)):
        if listed != file:
            raise wrong(f"manifest, file {place + 1}", _told(listed), _told(file), file.first)
    if len(found.files) > len(expected.files):
        raise IncompleteError(f"{found.files[len(expected.files)].name} is missing")
    raise wrong(MANIFEST, "what the other files come to", "something else")


def _told(file: File) -> str:
    events = "" if file.first is None else f" with events {file.first} to {file.last}"
    return f"{file.name}{events}, {file.bytes} bytes, sha256 {file.sha256}"
