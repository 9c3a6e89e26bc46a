"""A check tells of everything that is wrong, and of nothing less."""

from __future__ import annotations

from typing import Any

import pytest

from domain.kernel import Refused, invalid
from domain.kernel.check import Check


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (ValueError("must be one line"), [("name", "must be one line")]),
        (invalid("street", "must be one line"), [("name.street", "must be one line")]),
        (Refused("validation_failed", "There must be something."), [("name", "There must be something.")]),
    ],
)
def test_whatever_refuses_a_field_is_told(refusal: Exception, told: list[tuple[str, str]]) -> None:
    def refusing(_: Any) -> None:
        raise refusal

    check = Check()
    check.field("name", refusing, "x")
    with pytest.raises(Refused) as raised:
        check.done()
    assert [(detail.field, detail.message) for detail in raised.value.details] == told
