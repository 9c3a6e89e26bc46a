"""Events on disk: by their public names, in old shapes and new."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from domain.contact import ContactCreated
from domain.kernel import JSON
from domain.tag import TAG, CreateTag, Tag, TagCreated, TagDeleted
from eventstore.append import Origin
from eventstore.database import Db, Pool, reading
from eventstore.ids import new_id
from eventstore.mapper import EventMapper, Recorded, UnreadableEventError
from eventstore.reader import fold_stream
from eventstore.unit_of_work import EventStore


class TestNames:
    def test_an_event_is_stored_under_its_public_name_as_canonical_json(self) -> None:
        stream = new_id()
        event = TagCreated(name="Größe", slug="grosse", color=None)
        stored = EventMapper().to_stored_event(Recorded(stream, 3, event))
        assert (stored.originator_id, stored.originator_version, stored.topic) == (stream, 3, "tag.created")
        assert stored.state == '{"color":null,"name":"Größe","slug":"grosse"}'.encode()
        assert EventMapper().to_domain_event(stored) == Recorded(stream, 3, event)

    def test_a_field_that_was_not_given_is_not_stored(self) -> None:
        data = EventMapper().encode(new_id(), ContactCreated(first_name="Ada"))
        assert msgspec.json.decode(data) == {"firstName": "Ada", "tags": []}

    def test_a_default_is_stored(self) -> None:
        """A later default would rewrite history."""
        assert b'"tags":[]' in EventMapper().encode(new_id(), ContactCreated(first_name="Ada"))

    def test_a_field_that_is_not_known_any_more_is_passed_over(self) -> None:
        stored = b'{"color":null,"name":"A","slug":"a","weight":3}'
        assert EventMapper().decode(new_id(), "tag.created", stored) == TagCreated(name="A", slug="a", color=None)

    @pytest.mark.parametrize(
        ("name", "data"), [("tag.exploded", "{}"), ("tag.created", "{}"), ("tag.created", "{"), ("tag.created", "[]")]
    )
    def test_what_cannot_be_read_is_named(self, name: str, data: str) -> None:
        stream = new_id()
        with pytest.raises(UnreadableEventError, match=f"^{name} of stream {stream}"):
            EventMapper().decode(stream, name, data)


def labelled(data: JSON) -> tuple[str, JSON]:
    """``tag.labelled`` was what ``tag.made`` is now: the name had no slug beside it."""
    return "tag.made", {**data, "slug": data["label"].lower()}


def made(data: JSON) -> tuple[str, JSON]:
    """``tag.made`` had a label for a name."""
    return "tag.created", {"name": data["label"], "slug": data["slug"], "color": None}


class TestUpcasting:
    MAPPER = EventMapper(upcasters={"tag.labelled": labelled, "tag.made": made})

    def test_an_old_shape_is_read_as_the_new_one(self) -> None:
        event = self.MAPPER.decode(new_id(), "tag.made", '{"label": "VIP", "slug": "vip"}')
        assert event == TagCreated(name="VIP", slug="vip", color=None)

    def test_an_older_one_step_by_step(self) -> None:
        event = self.MAPPER.decode(new_id(), "tag.labelled", '{"label": "VIP"}')
        assert event == TagCreated(name="VIP", slug="vip", color=None)

    def test_a_new_one_stays_as_it_is(self) -> None:
        assert self.MAPPER.decode(new_id(), "tag.deleted", "{}") == TagDeleted()

    def test_a_stream_that_began_in_an_old_shape_folds(
        self, pool: Pool, store: EventStore, origin: Origin, owner: Db, workspace: UUID
    ) -> None:
        tag_id = new_id()
        store.run(origin, lambda work: work.begin(TAG, tag_id, CreateTag(name="VIP")))
        owner.execute(
            "UPDATE events SET type = 'tag.labelled', data = '{\"label\": \"VIP\"}' WHERE workspace_id = %s",
            (workspace,),
        )
        with reading(pool, workspace) as conn:
            found = fold_stream(conn, TAG, tag_id, self.MAPPER)
        assert found is not None
        assert found.state == Tag(name="VIP", slug="vip", color=None)
