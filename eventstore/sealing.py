"""Personal fields in the log: sealed with the keys of those whom an event is about, and opened while all of these are there.

What is personal is taken out of an event's data and put under ``$sealed``, as one ciphertext (AES-256-GCM), beside the
names of the fields and the persons. The chain is over that, so it is the same whether or not it can be opened. Keys are
in a table of their own (``person_keys``), never in the log: when a person's is destroyed, nothing opens it any more.
"""

from __future__ import annotations

import os
import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2s, sha256
from typing import Annotated, Final, LiteralString, NamedTuple
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Meta

from domain.kernel import JSON
from domain.kernel.personal import Tree, masked, paths, put_back, taken
from eventstore.chain import id_text

MEMBER: Final = "$sealed"
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_PERSONS: Final = re.compile(r'"persons": \[([^\]]*)\]')
_END: Final = "\n"
"""Behind the data in ``READABLE``; never in JSON as Postgres writes it."""

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(dict).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

Place = tuple[UUID, str]
"""The stream and the type of an event: what is sealed is bound to it."""

Keys = Callable[[], Mapping[UUID, bytes]]
"""Answers the keys of those whom an event is about, by person."""


class UnopenedError(Exception):
    """Sealed data that cannot be opened though nobody has destroyed a key: it came without word of keys, or is not as it was."""


class Opened(NamedTuple):
    """An event's data as JSON, beside which what was sealed may stand still; ``erased`` where what is personal cannot be read
    any more, and something stands in its place.
    """

    document: bytes
    erased: bool

    @property
    def data(self) -> JSON:
        found: JSON = _decode(self.document)
        found.pop(MEMBER, None)
        return found


class _Member(msgspec.Struct):
    """What stands under ``$sealed``; ``value`` is in Base64 there. There are no more fields, and no longer names of any, than
    these limits by far: who reads a bundle does not know who wrote it.
    """

    fields: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=200)]
    key: str
    persons: list[str]
    value: bytes


class _Holder(msgspec.Struct):
    """Of an event's data no more than what is sealed in them."""

    member: _Member | None = msgspec.field(default=None, name=MEMBER)


_decode_holder = msgspec.json.Decoder(_Holder).decode

READABLE: Final[LiteralString] = """
    CASE WHEN events.data ? '$sealed' THEN events.data::text || chr(10) || coalesce(
        CASE WHEN events.data #>> '{$sealed,persons,1}' IS NULL THEN (
            SELECT encode(k.key, 'hex') FROM person_keys k
            WHERE k.workspace_id = events.workspace_id
                AND k.person_id = (events.data #>> '{$sealed,persons,0}')::uuid
        ) ELSE (
            SELECT string_agg(encode(k.key, 'hex'), ',' ORDER BY k.person_id) FROM person_keys k
            WHERE k.workspace_id = events.workspace_id
                AND k.person_id = ANY(translate(events.data->'$sealed'->>'persons', '[]" ', '{}')::uuid[])
        ) END, '') ELSE events.data::text END
"""
"""The data of an event in SQL, with the keys that open what is sealed in it, as ``opened`` takes them.

Keys come with the statement that reads the events and are kept nowhere: what is read behind the end of a person's key is
not opened by any process. Most events are of one person: to look for one key takes half as long as for several.
"""


def sealed(data: JSON, tree: Tree, place: Place, keys: Keys) -> JSON:
    """``data`` with what is personal sealed, if anything is and somebody has a key."""
    if not (part := taken(data, tree)):
        return data
    if not (known := keys()):
        put_back(data, part, tree)
        return data
    found = sorted(known)
    persons, key = [id_text(person) for person in found], _together(b"".join([known[person] for person in found]))
    fields, nonce = paths(part, tree), os.urandom(_NONCE_BYTES)
    value = nonce + AESGCM(key).encrypt(nonce, _encode(part), _bound(place, persons, fields))
    data[MEMBER] = {
        "fields": fields,
        "key": _called(key),
        "persons": persons,
        "value": b2a_base64(value, newline=False).decode(),
    }
    return data


def opened(text: str, tree: Tree, place: Place, *, keyless: bool = False) -> Opened:
    """The data of ``READABLE``: whole, or with what stands for what was erased.

    ``keyless``: of who has no keys, so that nothing is known to be erased either. Raises ``UnopenedError`` where there should
    be word of keys and is none, or what is sealed is not as it was; and ``ValueError`` where it is not of the form.
    """
    written, behind, found = text.partition(_END)
    document = written.encode()
    member = _decode_holder(document).member
    if member is None:
        return Opened(document, erased=False)
    if not behind and not keyless:
        raise UnopenedError("sealed data were read without their keys")
    part = None if keyless or not found else _unlocked(member, place, found)
    rest = _masked(tree, tuple(member.fields)) if part is None else part
    return Opened(_spliced(document, rest, tree), erased=part is None)


def _unlocked(member: _Member, place: Place, found: str) -> bytes | None:
    """What was sealed; ``None`` where a key of those that it was sealed with is gone, or another's by now."""
    value, key = member.value, _together(bytes.fromhex(found.replace(",", "")))
    bound = _bound(place, member.persons, member.fields)
    try:
        return AESGCM(key).decrypt(value[:_NONCE_BYTES], value[_NONCE_BYTES:], bound)
    except InvalidTag:
        if _called(key) != member.key:
            return None
        raise UnopenedError("sealed data are not as they were, or were sealed elsewhere") from None


@lru_cache(maxsize=1024)
def _masked(tree: Tree, fields: tuple[str, ...]) -> bytes:
    """What stands for these fields; of most events the same ones are sealed."""
    return _encode(masked(fields, tree))


def _spliced(document: bytes, part: bytes, tree: Tree) -> bytes:
    """A JSON object with the members of another in it, as text: no value is decoded before the event is.

    What is no object where there should be one stays, and whoever decodes it will find it.
    """
    if not tree.within:
        return document[:-1] + b"," + part[1:] if document[1:-1].strip() else part
    whole = _decode_members(document)
    for name, value in _decode_members(part).items():
        inner = tree.within.get(name)
        if inner is None or name not in whole:
            whole[name] = value
        elif (there := bytes(whole[name])).startswith(b"{"):
            whole[name] = msgspec.Raw(_spliced(there, bytes(value), inner))
    return msgspec.json.encode(whole)


def is_sealed(data: str | bytes) -> bool:
    """Whether something may be sealed in it."""
    return (MEMBER in data) if isinstance(data, str) else (MEMBER.encode() in data)


def is_erased(text: str) -> bool:
    """Whether of those whom the data of ``READABLE`` tell of somebody has no key any more."""
    document, behind, found = text.rpartition(_END)
    persons = _PERSONS.search(document) if behind else None
    return persons is not None and (not found or found.count(",") < persons[1].count(","))


def erased_fields(text: str) -> tuple[str, ...]:
    """The fields of an event, as their thing calls them, that cannot be read any more; of the data of ``READABLE``."""
    if not is_erased(text):
        return ()
    names = _decode(text.rpartition(_END)[0])[MEMBER]["fields"]
    return tuple(dict.fromkeys(name.removeprefix("changed.").removeprefix("previous.") for name in names))


def _together(keys: bytes) -> bytes:
    """One key of several, which is gone when one of them is."""
    return keys if len(keys) == KEY_BYTES else sha256(keys).digest()


def _called(key: bytes) -> str:
    """What tells keys apart: somebody whose key was lost may have got another since."""
    return blake2s(key, digest_size=8, person=b"key").hexdigest()


def _bound(place: Place, persons: list[str], fields: list[str]) -> bytes:
    stream_id, event_type = place
    return f"{id_text(stream_id)} {event_type}\n{','.join(persons)}\n{','.join(fields)}".encode()
