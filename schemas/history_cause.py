"""Why a field is as it is: the event that set it, and the chain of causes behind that."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

from msgspec import Meta

from domain.kernel import JSON, Value
from schemas.history import EXAMPLE, Happening
from schemas.wire.words import Id


class CauseLink(Happening):
    """An event in a chain of causes, and what it happened to."""

    entity_type: Annotated[str, Meta(description="What kind of thing it happened to: `contact`, `tag`, `user` …")]
    entity_id: Annotated[UUID, Meta(description="Which one.")]

    example: ClassVar[JSON] = {
        **EXAMPLE,
        "entityType": "contact",
        "entityId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
    }


class ByJob(Value):
    """The job that did it."""

    id: Id
    kind: Annotated[str, Meta(description="What it does, such as `contact_import`.")]


class ExplanationView(Value):
    """Why a field is as it is: the event that set it, what led to that event, and so on up to the first.

    ``truncated``: there are causes that are not told.
    """

    field: Annotated[str, Meta(description="The field that was asked for.")]
    value: Annotated[Any, Meta(description="What it is, or was at the moment that was asked for.")]
    was: Annotated[Any, Meta(description="What it was before that event.")]
    ever_set: Annotated[bool, Meta(description="False where no event has ever set it: then there is no chain.")]
    chain: Annotated[
        list[CauseLink], Meta(description="The event that set it, then what led to each, up to the first.")
    ]
    job: Annotated[ByJob | None, Meta(description="The job that did it, if one did.")]
    truncated: Annotated[bool, Meta(description="Whether there are more causes than are told here.")]

    example: ClassVar[JSON] = {
        "field": "company",
        "value": "Acme Corp",
        "was": "Acme",
        "everSet": True,
        "chain": [CauseLink.example],
        "job": None,
        "truncated": False,
    }
