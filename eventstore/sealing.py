"""Personal fields in the log: sealed with the keys of those whom an event is about, and opened while all of these are there.

What is personal is taken out of an event's data and put under ``$sealed``, as one ciphertext (AES-256-GCM), beside the
names of the fields and the persons. The chain is over that, so it is the same whether or not it can be opened. Keys are
in a table of their own (``person_keys``), never in the log: when a person's is destroyed, nothing opens it any more.
"""

from __future__ import annotations

import os
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from hashlib import blake2s, sha256
from typing import Final, LiteralString, NamedTuple
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.kernel import JSON
from domain.kernel.personal import Tree, mask, paths, put_back
from eventstore.chain import id_text

MEMBER: Final = "$sealed"
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_PERSONS: Final = re.compile(r'"persons": \[([^\]]*)\]')
_END: Final = "\n"
"""Behind the data in ``READABLE``; never in JSON as Postgres writes it."""

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(dict).decode


class UnopenedError(Exception):
    """Sealed data that cannot be opened though nobody has destroyed a key: it came without word of keys, or is not as it was."""


class Opened(NamedTuple):
    """An event's data; ``erased`` where what is personal cannot be read any more, and something stands in its place."""

    data: JSON
    erased: bool


READABLE: Final[LiteralString] = """
    CASE WHEN events.data ? '$sealed' THEN events.data::text || chr(10) || coalesce((
        SELECT string_agg(encode(k.key, 'hex'), ',' ORDER BY k.person_id) FROM person_keys k
        WHERE k.workspace_id = events.workspace_id
            AND k.person_id = ANY(translate(events.data->'$sealed'->>'persons', '[]" ', '{}')::uuid[])
    ), '') ELSE events.data::text END
"""
"""The data of an event in SQL, with the keys that open what is sealed in it, as ``opened`` takes them.

Keys come with the statement that reads the events and are kept nowhere: what is read behind the end of a person's key is
not opened by any process.
"""


def sealed(data: JSON, part: JSON, tree: Tree, place: bytes, keys: Mapping[UUID, bytes]) -> JSON:
    """``data``, out of which ``part`` was taken, with it sealed; ``place`` binds it to where it is."""
    found = sorted(keys)
    persons, key = [id_text(person) for person in found], _together([keys[person] for person in found])
    fields, nonce = paths(part, tree), os.urandom(_NONCE_BYTES)
    value = nonce + AESGCM(key).encrypt(nonce, _encode(part), _bound(place, persons, fields))
    member = {
        "fields": fields,
        "key": _called(key),
        "persons": persons,
        "value": b2a_base64(value, newline=False).decode(),
    }
    return {**data, MEMBER: member}


def opened(text: str, tree: Tree, place: bytes, *, keyless: bool = False) -> Opened:
    """The data of ``READABLE``: whole, or with what stands for what was erased.

    ``keyless``: of who has no keys, so that nothing is known to be erased either. Raises ``UnopenedError`` where there should
    be word of keys and is none, or what is sealed is not as it was; and ``KeyError`` or ``ValueError`` where it is not of the form.
    """
    document, behind, found = text.partition(_END)
    data = _decode(document)
    if MEMBER not in data:
        return Opened(data, erased=False)
    if not behind and not keyless:
        raise UnopenedError("sealed data were read without their keys")
    member = data.pop(MEMBER)
    part = None if keyless or not found else _unlocked(member, place, found)
    if part is None:
        for path in member["fields"]:
            mask(data, path, tree)
    else:
        put_back(data, part, tree)
    return Opened(data, erased=part is None)


def _unlocked(member: JSON, place: bytes, found: str) -> JSON | None:
    """What was sealed; ``None`` where a key of those that it was sealed with is gone, or another's by now."""
    value, key = a2b_base64(member["value"]), _together([bytes.fromhex(one) for one in found.split(",")])
    bound = _bound(place, member["persons"], member["fields"])
    try:
        return _decode(AESGCM(key).decrypt(value[:_NONCE_BYTES], value[_NONCE_BYTES:], bound))
    except InvalidTag:
        if _called(key) != member["key"]:
            return None
        raise UnopenedError("sealed data are not as they were, or were sealed elsewhere") from None


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


def _together(keys: list[bytes]) -> bytes:
    """One key of several, which is gone when one of them is."""
    return keys[0] if len(keys) == 1 else sha256(b"".join(keys)).digest()


def _called(key: bytes) -> str:
    """What tells keys apart: somebody whose key was lost may have got another since."""
    return blake2s(key, digest_size=8, person=b"key").hexdigest()


def _bound(place: bytes, persons: list[str], fields: list[str]) -> bytes:
    return b"\n".join((place, ",".join(persons).encode(), ",".join(fields).encode()))
