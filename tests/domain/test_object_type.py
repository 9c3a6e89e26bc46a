"""Rules of object types: what their slugs may be."""

from __future__ import annotations

import pytest

from domain.object_type import OBJECT_TYPE, CreateObjectType, ObjectTypeCreated
from tests.language import given


@pytest.mark.parametrize(
    ("slug", "expected"),
    [("deals", "deals"), (" Q2-Plans_1 ", "q2-plans_1"), ("9", "9"), ("a" * 64, "a" * 64)],
)
def test_a_slug_is_kept_in_lower_case(slug: str, expected: str) -> None:
    made = CreateObjectType(name="Deals", slug=slug)
    given(OBJECT_TYPE).when(made).then(ObjectTypeCreated(name="Deals", slug=expected))


@pytest.mark.parametrize(
    "slug",
    ["", " ", "-a", "a b", "a/b", "a?b", "a#b", "a%20b", "ä", "a.b", "a" * 65, "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0130"],
)
def test_what_cannot_stand_in_a_path_or_is_written_like_an_id_is_no_slug(slug: str) -> None:
    given(OBJECT_TYPE).when(CreateObjectType(name="Deals", slug=slug)).refused("validation_failed", field="slug")
