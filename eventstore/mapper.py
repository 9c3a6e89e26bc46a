"""Struct ↔ stored event: public names on disk, upcasting of old shapes, and personal fields sealed and opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent

from domain.catalogue import EVENTS, FORMER
from domain.kernel import JSON, Decider, Event, Former
from domain.kernel.personal import NOTHING_PERSONAL, personal
from eventstore import sealing
from eventstore.chain import canonical
from eventstore.sealing import Keys, Opened, UnopenedError

Upcaster = Callable[[JSON], tuple[str, JSON]]
"""An old event's data → the name and data of the event that takes its place."""


def _upcaster(former: Former) -> Upcaster:
    return lambda data: (former.now.event_name, former.upcast(data))


UPCASTERS: Final[Mapping[str, Upcaster]] = {name: _upcaster(former) for name, former in FORMER.items()}
"""By the old event's public name."""


def names_of(decider: Decider[Any, Any, Any]) -> frozenset[str]:
    """What an event in a stream of this kind may be called where it is stored: as of today, or as it once was."""
    return frozenset(event.event_name for event in (*decider.events, *(former.event for former in decider.former)))


@cache
def also_called(event_type: str) -> frozenset[str]:
    """All names that an event has or had: who asked for it by one of them means it by any."""
    while event_type in FORMER:
        event_type = FORMER[event_type].now.event_name
    return _once_called(event_type)


def _once_called(event_type: str) -> frozenset[str]:
    older = (name for name, former in FORMER.items() if former.now.event_name == event_type)
    return frozenset({event_type}).union(*map(_once_called, older))


def upcast(event_type: str, data: JSON, upcasters: Mapping[str, Upcaster] = UPCASTERS) -> tuple[str, JSON]:
    """The name and data of a stored event as it is read today."""
    while event_type in upcasters:
        event_type, data = upcasters[event_type](data)
    return event_type, data


class UnreadableEventError(MapperDeserialisationError):
    """A stored event whose name nobody knows, or whose data is not of that name's form."""


@dataclass(frozen=True)
class Recorded:
    """An event with its place in its stream: what the eventsourcing library calls a domain event."""

    originator_id: UUID
    originator_version: int
    event: Event


class EventMapper(Mapper[UUID]):
    """The library's mapper, with our names as topics and canonical public JSON as state.

    ``keyless``: for who has no keys, and so reads what stands for personal fields in place of them.
    """

    def __init__(
        self,
        events: Mapping[str, type[Event]] = EVENTS,
        *,
        upcasters: Mapping[str, Upcaster] = UPCASTERS,
        keyless: bool = False,
    ) -> None:
        super().__init__(transcoder=JSONTranscoder())
        self._events = events
        self._decoders = {name: msgspec.json.Decoder(event) for name, event in events.items()}
        self._personal = {name: personal(event) for name, event in events.items()}
        self._upcasters = upcasters
        self._keyless = keyless

    def encode(self, stream_id: UUID, event: Event, keys: Keys = dict) -> bytes:
        """The event's data as it is kept: canonical JSON. What is personal in it is sealed with ``keys``, if there are any:
        they are asked for where it is needed.
        """
        data, tree = msgspec.json.encode(event), self._personal.get(event.event_name)
        if not tree or keys is dict:
            return canonical(data)
        place = (stream_id, event.event_name)
        return canonical(data, lambda public: sealing.sealed(public, tree, place, keys))

    def decode(self, stream_id: UUID, event_type: str, data: bytes | str) -> Event:
        """The event of a stored name and data; raises ``UnreadableEventError`` when there is no such event.

        What is sealed is opened where the data have come with keys (``sealing.READABLE``).
        """
        return self._decoded(stream_id, event_type, data, keyless=self._keyless)

    def _decoded(self, stream_id: UUID, event_type: str, data: bytes | str, *, keyless: bool) -> Event:
        try:
            found = self.opened(stream_id, event_type, data, keyless=keyless) if sealing.is_sealed(data) else None
            if event_type not in self._upcasters:
                return self._decoders[event_type].decode(data if found is None else found.document)
            whole = msgspec.json.decode(data) if found is None else found.data
            event_type, whole = upcast(event_type, whole, self._upcasters)
            return msgspec.convert(whole, self._events[event_type])
        except (LookupError, TypeError, AttributeError, msgspec.MsgspecError) as error:
            raise UnreadableEventError(f"{event_type} of stream {stream_id}: {error}") from error

    def opened(self, stream_id: UUID, event_type: str, data: bytes | str, *, keyless: bool = False) -> Opened:
        """The data as they were before anything was sealed; with what stands for it, where it is erased."""
        text = data if isinstance(data, str) else data.decode()
        tree = self._personal.get(event_type, NOTHING_PERSONAL)
        try:
            return sealing.opened(text, tree, (stream_id, event_type), keyless=keyless)
        except (UnopenedError, LookupError, TypeError, ValueError) as error:
            raise UnreadableEventError(f"{event_type} of stream {stream_id}: {error}") from error

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        assert isinstance(domain_event, Recorded)
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=domain_event.event.event_name,
            state=self.encode(domain_event.originator_id, domain_event.event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        """Stored events come without keys: of what is sealed it has what stands for it."""
        stream_id = stored_event.originator_id
        assert isinstance(stream_id, UUID)
        return Recorded(
            originator_id=stream_id,
            originator_version=stored_event.originator_version,
            event=self._decoded(stream_id, stored_event.topic, stored_event.state, keyless=True),
        )


SHARED: Final = EventMapper()
"""For who opens or decodes an event, and is given no mapper: one does for all, and all threads."""
