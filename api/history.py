"""The past of every kind of thing over HTTP: three operations, once for each of ``HISTORIES``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, PathParameter, QueryParameter

from api.http.answers import Json
from api.http.ask import Ask
from api.http.routes import get
from api.object_type import ObjectTypeId
from domain.kernel import invalid, not_found
from domain.object_type import is_id
from eventstore.database import Db
from eventstore.moment import MAX_LENGTH, seq_of
from eventstore.reader import head
from projections import custom_value as custom_values
from projections import history as rows
from projections import history_cause as causes
from projections import object_type as object_types
from projections import user as users
from projections.catalogue import ROWS
from schemas.history import DifferenceView, HistoryEntry
from schemas.history_cause import ExplanationView
from schemas.wire.page import One, Page, PageRequest

Find = Callable[[Db], UUID]

_MOMENT: Final = "an RFC 3339 time, or a `seq` of the log"
_HISTORY: Final = (
    "Newest first: each event with when, by whom and why, and what it changed from what to what. `causationId` is the event"
    " that led to it, `correlationId` what came of one request or job has in common. What has ended keeps its history; a"
    " member limited to what is assigned to them has that of what they may see now."
)
_DIFF: Final = (
    "Field by field, of maps key by key (`customFields.plan`). Before it began, and when it had ended, it did not exist:"
    " each of its fields is from or to null then. Without `to`, how it is now."
)

_EXPLAIN: Final = (
    "The last event that changed the field, what caused it, what caused that, and so on up to what somebody asked for: an"
    " import, a merge, the end of something that was referred to. A field that no event has set says so. With `asOf`, why it"
    " was as it was then. A member limited to what is assigned to them is told of causes up to the first that happened to"
    " something that they do not see."
)
Field = Annotated[
    str,
    QueryParameter(
        max_length=200, description="A field of the thing, or a key of one that is a map: `customFields.plan`."
    ),
]
AsOf = Annotated[
    str | None, QueryParameter(name="asOf", max_length=MAX_LENGTH, description=f"The moment: {_MOMENT}; else now.")
]
Since = Annotated[
    str, QueryParameter(name="from", max_length=MAX_LENGTH, description=f"The earlier moment: {_MOMENT}.")
]
Until = Annotated[
    str | None, QueryParameter(name="to", max_length=MAX_LENGTH, description=f"The later moment: {_MOMENT}.")
]

TokenOrId = Annotated[
    str,
    PathParameter(name="key", description="What the token names it by; or its id, which it keeps when it has ended."),
]


@dataclass(frozen=True)
class Thing:
    """What a path means: a thing of a kind, found in the database, ``within`` another by the field of it that says so."""

    ask: Ask
    kind: str
    find: Find
    within: tuple[str, Find] | None = None

    def subject(self, conn: Db) -> rows.Subject:
        """Whose past it is; refuses (``not_found``) what no path of the workspace means."""
        within = None if self.within is None else (self.within[0], self.within[1](conn))
        return rows.Subject(ROWS[self.kind], self.find(conn), within, self.ask.visible_to)


def _past(thing: Callable[..., Thing], kind: str, name: str, path: str, scope: str) -> type[Controller]:
    """The three operations on a kind of thing: ``getContactHistory``, ``getContactDiff`` and ``explainContact``."""
    noun = ROWS[kind].noun

    class PastController(Controller):
        tags = ["History"]  # noqa: RUF012 - what Litestar reads
        dependencies = {"thing": Provide(thing, sync_to_thread=False)}  # noqa: RUF012 - what Litestar reads

        @get(
            "/history",
            operation_id=f"get{name}History",
            summary=f"What happened to one {noun}",
            description=_HISTORY,
            scope=scope,
        )
        def history(
            self, ask: NamedDependency[Ask], thing: NamedDependency[Thing], paged: NamedDependency[PageRequest]
        ) -> Json[Page[HistoryEntry]]:
            with ask.reading() as conn:
                found = rows.listed(conn, ask.services.store.mapper, thing.subject(conn), paged)
            return ask.page(paged, *found)

        @get(
            "/diff",
            operation_id=f"get{name}Diff",
            summary=f"What differs in one {noun} between two moments",
            description=_DIFF,
            scope=scope,
            errors=("validation_failed",),
        )
        def diff(
            self, ask: NamedDependency[Ask], thing: NamedDependency[Thing], since: Since, until: Until = None
        ) -> Json[One[DifferenceView]]:
            with ask.reading() as conn:
                subject, moments = thing.subject(conn), _moments(conn, since, until)
                return ask.told(rows.difference(conn, ask.services.store.mapper, subject, *moments))

        @get(
            "/explain",
            operation_id=f"explain{name}",
            summary=f"Why a field of one {noun} is as it is",
            description=_EXPLAIN,
            scope=scope,
            errors=("validation_failed",),
        )
        def explain(
            self, ask: NamedDependency[Ask], thing: NamedDependency[Thing], field: Field, as_of: AsOf = None
        ) -> Json[One[ExplanationView]]:
            with ask.reading() as conn:
                subject, seq = thing.subject(conn), None if as_of is None else seq_of(conn, as_of)
                return ask.told(causes.explained(conn, ask.services.store.mapper, subject, field, seq))

    PastController.path = path
    return PastController


def _moments(conn: Db, since: str, until: str | None) -> tuple[int, int]:
    """Two moments by seq of the log; refuses what is none, and the later before the earlier."""
    first = seq_of(conn, since, "from")
    last = head(conn)[0] if until is None else seq_of(conn, until, "to")
    if first > last:
        raise invalid("from", "must not be after to")
    return first, last


# Which thing a path means.


def _by_id(ask: Ask, kind: str, thing_id: UUID, within: tuple[str, Find] | None = None) -> Thing:
    return Thing(ask, kind, lambda _: thing_id, within)


def _api_key(ask: NamedDependency[Ask], key_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "api_key", key_id)


def _call(ask: NamedDependency[Ask], call_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "call", call_id)


def _company(ask: NamedDependency[Ask], company_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "company", company_id)


def _contact(ask: NamedDependency[Ask], contact_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "contact", contact_id)


def _dismissal(ask: NamedDependency[Ask], dismissal_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "contact_duplicate", dismissal_id)


def _custom_field(ask: NamedDependency[Ask], custom_field_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "custom_field", custom_field_id)


def _custom_value(ask: NamedDependency[Ask], key: TokenOrId) -> Thing:
    def found(conn: Db) -> UUID:
        value = custom_values.with_keys(conn, [key]).get(key)
        if value is None and not is_id(key):
            raise not_found("custom value")
        return UUID(key) if value is None else value.id

    return Thing(ask, "custom_value", found)


def _deal(ask: NamedDependency[Ask], deal_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "deal", deal_id)


def _interaction(ask: NamedDependency[Ask], interaction_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "interaction", interaction_id)


def _invitation(ask: NamedDependency[Ask], invitation_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "invitation", invitation_id)


def _note(ask: NamedDependency[Ask], note_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "note", note_id)


def _object_attribute(
    ask: NamedDependency[Ask], object_type_id: ObjectTypeId, object_attribute_id: FromPath[UUID]
) -> Thing:
    return _by_id(ask, "object_attribute", object_attribute_id, _of_type(object_type_id))


def _object_record(ask: NamedDependency[Ask], object_type_id: ObjectTypeId, object_record_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "object_record", object_record_id, _of_type(object_type_id))


def _of_type(given: str) -> tuple[str, Find]:
    return "object_type_id", lambda conn: object_types.meant(conn, given)


def _object_type(ask: NamedDependency[Ask], object_type_id: ObjectTypeId) -> Thing:
    return Thing(ask, "object_type", lambda conn: object_types.meant(conn, object_type_id))


def _pipeline(ask: NamedDependency[Ask], pipeline_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "pipeline", pipeline_id)


def _segment(ask: NamedDependency[Ask], segment_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "segment", segment_id)


def _smart_list(ask: NamedDependency[Ask], view_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "smart_list", view_id)


def _stage(ask: NamedDependency[Ask], pipeline_id: FromPath[UUID], stage_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "stage", stage_id, ("pipeline_id", lambda _: pipeline_id))


def _tag(ask: NamedDependency[Ask], tag_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "tag", tag_id)


def _task(ask: NamedDependency[Ask], task_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "task", task_id)


def _user(ask: NamedDependency[Ask], user_id: FromPath[UUID]) -> Thing:
    def found(conn: Db) -> UUID:
        return user_id if ask.visible_to is None else users.one(conn, user_id).id

    return Thing(ask, "user", found)


def _webhook(ask: NamedDependency[Ask], webhook_id: FromPath[UUID]) -> Thing:
    return _by_id(ask, "webhook", webhook_id)


def _workspace(ask: NamedDependency[Ask]) -> Thing:
    return _by_id(ask, "workspace", ask.caller.workspace_id)


HISTORIES: Final = (
    _past(_api_key, "api_key", "ApiKey", "/api-keys/{key_id:uuid}", "api-keys:read"),
    _past(_call, "call", "Call", "/calls/{call_id:uuid}", "calls:read"),
    _past(_company, "company", "Company", "/companies/{company_id:uuid}", "companies:read"),
    _past(_contact, "contact", "Contact", "/contacts/{contact_id:uuid}", "contacts:read"),
    _past(
        _dismissal,
        "contact_duplicate",
        "Dismissal",
        "/contacts/duplicates/dismissals/{dismissal_id:uuid}",
        "contacts:read",
    ),
    _past(_custom_field, "custom_field", "CustomField", "/custom-fields/{custom_field_id:uuid}", "custom-fields:read"),
    _past(_custom_value, "custom_value", "CustomValue", "/custom-values/{key:str}", "custom-values:read"),
    _past(_deal, "deal", "Deal", "/deals/{deal_id:uuid}", "deals:read"),
    _past(_interaction, "interaction", "Interaction", "/interactions/{interaction_id:uuid}", "interactions:read"),
    _past(_invitation, "invitation", "Invitation", "/users/invitations/{invitation_id:uuid}", "users:read"),
    _past(_note, "note", "Note", "/notes/{note_id:uuid}", "notes:read"),
    _past(
        _object_attribute,
        "object_attribute",
        "ObjectAttribute",
        "/objects/{object_type_id:str}/attributes/{object_attribute_id:uuid}",
        "objects:read",
    ),
    _past(
        _object_record,
        "object_record",
        "ObjectRecord",
        "/objects/{object_type_id:str}/records/{object_record_id:uuid}",
        "object-records:read",
    ),
    _past(_object_type, "object_type", "ObjectType", "/objects/{object_type_id:str}", "objects:read"),
    _past(_pipeline, "pipeline", "Pipeline", "/pipelines/{pipeline_id:uuid}", "pipelines:read"),
    _past(_segment, "segment", "Segment", "/segments/{segment_id:uuid}", "segments:read"),
    _past(_smart_list, "smart_list", "ContactView", "/contacts/views/{view_id:uuid}", "contacts:read"),
    _past(_stage, "stage", "Stage", "/pipelines/{pipeline_id:uuid}/stages/{stage_id:uuid}", "pipelines:read"),
    _past(_tag, "tag", "Tag", "/tags/{tag_id:uuid}", "tags:read"),
    _past(_task, "task", "Task", "/tasks/{task_id:uuid}", "tasks:read"),
    _past(_user, "user", "User", "/users/{user_id:uuid}", "users:read"),
    _past(_webhook, "webhook", "Webhook", "/webhooks/{webhook_id:uuid}", "webhooks:read"),
    _past(_workspace, "workspace", "Workspace", "/workspace", "workspace:read"),
)
"""Of each kind: which thing its path means, the kind, what its operations are called after, its path and its scope."""
