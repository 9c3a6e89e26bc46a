"""Rules of tags."""

from __future__ import annotations

from domain.tag import (
    TAG,
    CreateSluggedTag,
    CreateTag,
    DeleteTag,
    Tag,
    TagChanges,
    TagCreated,
    TagDeleted,
    TagUpdated,
    UpdateSluggedTag,
    UpdateTag,
    free_slug,
)
from tests.language import given

created = TagCreated(name="Q2 Campaign", slug="q2-campaign", color="#1a7f37")


def test_a_tag_has_a_slug_made_from_its_name() -> None:
    given(TAG).when(CreateTag(name="Q2 Campaign!", color="#1a7f37")).then(
        TagCreated(name="Q2 Campaign!", slug="q2-campaign", color="#1a7f37")
    )


def test_a_slug_that_is_anothers_gets_the_first_number_that_makes_it_its_own() -> None:
    taken = {"vip-gold", "vip-gold-2", "vip-gold-4"}
    assert [free_slug(name, taken) for name in ("VIP Gold!", "Gold", "VIP Gold 2")] == [
        "vip-gold-3",
        "gold",
        "vip-gold-2-2",
    ]
    given(TAG).when(CreateSluggedTag(name=" VIP Gold!", slug="vip-gold-3")).then(
        TagCreated(name="VIP Gold!", slug="vip-gold-3", color=None)
    )
    given(TAG, created).when(UpdateSluggedTag(name="Q3", slug="q3-2")).then(
        TagUpdated(
            changed=TagChanges(name="Q3", slug="q3-2"), previous=TagChanges(name="Q2 Campaign", slug="q2-campaign")
        )
    )


def test_a_name_is_trimmed() -> None:
    given(TAG).when(CreateTag(name="  VIP ")).then(TagCreated(name="VIP", slug="vip", color=None))


def test_a_name_must_say_something() -> None:
    given(TAG).when(CreateTag(name="  ")).refused("validation_failed", field="name", says="must not be empty")


def test_a_name_has_at_most_100_characters() -> None:
    given(TAG).when(CreateTag(name="x" * 101)).refused("validation_failed", field="name", says="at most 100")
    assert given(TAG).when(CreateTag(name="x" * 100)).events


def test_a_colour_is_hexadecimal() -> None:
    given(TAG).when(CreateTag(name="VIP", color="red")).refused("validation_failed", field="color", says="#1a7f37")


def test_all_that_is_wrong_is_said_at_once() -> None:
    given(TAG).when(CreateTag(name="", color="red")).refused("validation_failed", fields=["name", "color"])


def test_a_new_name_makes_a_new_slug() -> None:
    given(TAG, created).when(UpdateTag(name="Q3 Campaign")).then(
        TagUpdated(
            changed=TagChanges(name="Q3 Campaign", slug="q3-campaign"),
            previous=TagChanges(name="Q2 Campaign", slug="q2-campaign"),
        )
    )


def test_a_colour_can_be_taken_away() -> None:
    state = (
        given(TAG, created)
        .when(UpdateTag(color=None))
        .then(TagUpdated(changed=TagChanges(color=None), previous=TagChanges(color="#1a7f37")))
    )
    assert state == Tag(name="Q2 Campaign", slug="q2-campaign", color=None)


def test_what_is_so_already_is_no_event() -> None:
    given(TAG, created).when(UpdateTag(name=" Q2 Campaign", color="#1a7f37")).nothing()
    given(TAG, created).when(UpdateTag()).nothing()


def test_a_tag_ends_when_deleted() -> None:
    assert given(TAG, created).when(DeleteTag()).then(TagDeleted()) is None


def test_what_does_not_exist_cannot_be_changed_or_deleted() -> None:
    given(TAG).when(UpdateTag(name="A")).refused("not_found")
    given(TAG, created, TagDeleted()).when(DeleteTag()).refused("not_found")


def test_a_tag_is_created_once() -> None:
    given(TAG, created).when(CreateTag(name="A")).refused("conflict")
