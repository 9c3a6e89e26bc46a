"""One maker for each resource: what a sweep needs to have something that a path, a reference or a list can name.

What the example of ``POST /things`` makes is what ``{thingId}`` stands for, so most resources need no maker here. One
that is made in another way has a function in ``MAKERS``, under the name that paths give its id.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import httpx

from daybook.embedded import EmbeddedPostgres
from eventstore.database import open_pool
from projections.catalogue import TABLES
from tests.api.asserting import ok
from tests.api.sweeps.fields import Field, named, references, text_fields
from tests.api.sweeps.operations import OPERATIONS, Operation, creator
from tests.api.team import PASSWORD, Member, Team, created
from tests.api.working import step
from tests.workers.hooks import Expanding
from workers.running.context import async_pool

_number = itertools.count(1)


class Things:
    """In a workspace, one of each resource, made when first asked for by what paths call its id.

    ``mark`` is a word that stands in all the text of theirs that takes it, and nowhere else.
    """

    def __init__(self, team: Team, postgres: EmbeddedPostgres) -> None:
        self.team = team
        self.postgres = postgres
        self.mark = f"marked{next(_number)}q"
        self._made: dict[str, str] = {}

    def anew(self) -> Things:
        """The same workspace, where others of them will be made."""
        return Things(self.team, self.postgres)

    def forget(self, parameter: str) -> None:
        """It is there no more: another will be made."""
        self._made.pop(parameter, None)

    def word(self) -> str:
        """The mark, and what it has not stood with before."""
        return f"{self.mark}{next(_number)}x"

    def __getitem__(self, parameter: str) -> str:
        if parameter not in self._made:
            self._made[parameter] = self._make(parameter)
        return self._made[parameter]

    def _make(self, parameter: str) -> str:
        if parameter in MAKERS:
            return MAKERS[parameter](self)
        op = creator(parameter)
        assert op is not None, f"nothing makes a {parameter}: add a maker to tests/api/sweeps/makers.py"
        answer = self.team.owner.ask(op.method, self.path(op), json=self.body(op))
        return str(created(answer)["id"])

    def all(self) -> dict[str, str]:
        """One of everything, by the names of ``makeable``."""
        return {name: self[name] for name in sorted(makeable())}

    def ids(self) -> dict[str, str]:
        """Those of all that have an id."""
        return {name: value for name, value in self.all().items() if name.endswith("Id")}

    def path(self, op: Operation, **instead: str) -> str:
        """The operation's path with ids of these things, or of what stands ``instead``."""
        return re.sub(r"{(\w+)}", lambda found: instead.get(found[1]) or self[found[1]], op.path)

    def body(self, op: Operation) -> Any:
        """What the operation takes: its example, marked where it makes something, so that no two are the same."""
        if op.id in BODIES:
            return BODIES[op.id](self)
        if op.body is None:
            return None
        return marked(self.team.anonymous if op.public else self.team.owner, op, self) if op.makes else self.example(op)

    def example(self, op: Operation) -> dict[str, Any]:
        """The operation's example; what it refers to is one of these things."""
        return op.example | self.referred(op)

    def referred(self, op: Operation) -> dict[str, str]:
        """What the operation's example refers to by names that paths have too."""
        names = {field.name for field in references(op) if len(field.way) == 1} & op.example.keys() & makeable()
        return {name: self[name] for name in sorted(names)}

    def params(self, op: Operation) -> dict[str, Any]:
        """What the operation cannot do without in its query."""
        return QUERIES[op.id](self) if op.id in QUERIES else {}

    def ask(self, who: Member, op: Operation, **more: Any) -> httpx.Response:
        """The operation on these things, as its example has it unless ``more`` says otherwise.

        JSON is sent in ASCII, so that it can have in it what cannot be encoded.
        """
        more.setdefault("params", self.params(op))
        if op.body is not None and "content" not in more:
            more["content"] = json.dumps(more.pop("json") if "json" in more else self.body(op)).encode()
            more["headers"] = {"content-type": "application/json", **more.get("headers", {})}
        path = more.pop("path", None) or self.path(op)
        return who.ask(op.method, path, **more)


# How the text of an example is marked: what of it takes a word of ours is found out by asking, once for each operation.

_MARKABLE: Final[dict[str, frozenset[str]]] = {}


def marked(who: Member, op: Operation, things: Things) -> dict[str, Any]:
    """The example, with the mark in all the text that takes it."""
    if op.id not in _MARKABLE:
        _MARKABLE[op.id] = _markable(who, op, things.anew())
    return _with_mark(op, things, _MARKABLE[op.id])


def _markable(who: Member, op: Operation, things: Things) -> frozenset[str]:
    """Marks everything, and leaves out what is refused until nothing is."""
    names = frozenset(field.name for field in _plain(op)) | op.example.keys()
    while True:
        answer = who.ask(op.method, things.path(op), json=_with_mark(op, things, names))
        if answer.status_code != 422:
            assert answer.status_code == 201, answer.text
            return names
        assert named(answer) & names, f"{op.id} refuses its own example: {answer.text}"
        names -= named(answer)


def _with_mark(op: Operation, things: Things, names: frozenset[str]) -> dict[str, Any]:
    mark = things.word()
    beside = {field.name: mark for field in _plain(op) if field.name in names and field.name not in op.example}
    return {
        **{name: _prefixed(value, mark) if name in names else value for name, value in things.example(op).items()},
        **beside,
    }


def _plain(op: Operation) -> list[Field]:
    """Text on the body's top of which the document says no more."""
    return [field for field in text_fields(op) if len(field.way) == 1 and not field.schema.keys() & {"format", "enum"}]


def _prefixed(value: Any, mark: str) -> Any:
    if isinstance(value, str):
        return mark + value
    if isinstance(value, list):
        return [_prefixed(entry, mark) for entry in value]
    return value


# What is not made by the example of a POST.


def _tag(things: Things) -> str:
    """The name of a tag that the contact bears."""
    owner, path = things.team.owner, f"/contacts/{things['contactId']}"
    if not owner.shown(path)["tags"]:
        ok(owner.post(f"{path}/tags", {"tags": [things.word()]}))
    return str(owner.shown(path)["tags"][0])


def _job(things: Things) -> str:
    """One that no worker has begun."""
    rows = {"rows": [{"First Name": things.mark, "E-mail": f"{things.mark}@@"}]}
    answer = things.team.owner.post("/contacts/import", rows, params={"async": "true"})
    return str(ok(answer, 202)["data"]["jobId"])


def _export(things: Things) -> str:
    """A bundle that can be downloaded: one for all, as there are not many in a day."""
    owner = things.team.owner
    there = owner.listed("/audit/exports")
    export_id = there[0]["id"] if there else ok(owner.post("/audit/exports", {}), 202)["data"]["id"]
    with open_pool(things.postgres.url(user="daybook_worker"), size=1) as pool:
        while owner.shown(f"/audit/exports/{export_id}")["status"] == "processing":
            assert step(things.team.services.store, pool)
    return str(export_id)


def _delivery(things: Things) -> str:
    """Of the contact's events to the webhook, as the worker hands them out."""
    webhook_id = things["webhookId"]
    things.team.owner.contact(firstName=things.mark)

    async def expand() -> None:
        async with async_pool(things.postgres.url(user="daybook_worker")) as pool:
            await Expanding(pool).expand(things.team.workspace_id)

    asyncio.run(expand())
    return str(things.team.owner.listed(f"/webhooks/{webhook_id}/deliveries")[0]["id"])


def _token(things: Things) -> str:
    """The key of a custom value."""
    key = things.word()
    ok(things.team.owner.ask("PUT", f"/custom-values/{key}", json={"value": things.mark}))
    return key


def _interaction(things: Things) -> str:
    body = {"type": "note", "body": things.mark}
    return str(created(things.team.owner.post(f"/contacts/{things['contactId']}/interactions", body))["id"])


def _view(things: Things) -> str:
    """A smart list, beside those that there are."""
    there = things.team.owner.listed("/contacts/views")
    kept = [{name: view[name] for name in ("id", "name", "query")} for view in there]
    views = [*kept, {"name": things.word()}]
    answer = ok(things.team.owner.ask("PUT", "/contacts/views", json={"views": views}))
    return str(answer["data"][-1]["id"])


def _loser(things: Things) -> str:
    """A contact that can be merged into the one that there is."""
    return str(things.team.owner.contact(firstName=things.mark)["id"])


def _alike(things: Things) -> dict[str, list[str]]:
    """Two contacts."""
    return {"contactIds": [things["contactId"], things["other"]]}


def _dismissal(things: Things) -> str:
    """What was said of two contacts."""
    answer = ok(things.team.owner.post("/contacts/duplicates/dismiss", _alike(things)))
    return str(answer["data"]["dismissals"][0]["id"])


def _merged(things: Things) -> str:
    """One that was."""
    loser = _loser(things)
    ok(things.team.owner.post(f"/contacts/{things['contactId']}/merge", {"loserId": loser}))
    return loser


def _invitation(things: Things) -> str:
    body = {"email": f"{things.word()}@example.com", "role": "member", "name": things.word()}
    return str(created(things.team.owner.post("/users/invite", body))["id"])


def _acceptance(things: Things) -> dict[str, str]:
    """What stands in the mail of a new invitation; to another workspace, so that nothing is written in this one."""
    host = Things(Team(things.team.services, things.team.http), things.postgres)
    _invitation(host)
    text = host.team.owner.listed("/outbox", limit=1)[0]["text"]
    return {"token": re.findall(r"#(\S+)", text)[0], "password": PASSWORD, "name": things.word()}


MAKERS: Final[Mapping[str, Callable[[Things], str]]] = {
    "deliveryId": _delivery,
    "dismissalId": _dismissal,
    "exportId": _export,
    "interactionId": _interaction,
    "invitationId": _invitation,
    "jobId": _job,
    "key": _token,
    "loser": _loser,
    "merged": _merged,
    "other": _loser,
    "tag": _tag,
    "viewId": _view,
    "userId": lambda things: str(things.team.join("member").account_id),
}
"""By the name of the parameter, what makes one and answers its id (or, as of a tag, its name)."""

BODIES: Final[Mapping[str, Callable[[Things], Any]]] = {
    "acceptInvitation": _acceptance,
    "dismissDuplicates": _alike,
    "logIn": lambda things: {"email": things.team.email, "password": PASSWORD},
    "mergeContacts": lambda things: {"loserId": things["loser"], "dryRun": False},
    "undoContactMerge": lambda things: {"loserId": things["merged"]},
}
"""By operation, what it is sent where its example speaks of somebody who is not there."""


def _field(op: Operation, _: Things) -> dict[str, str]:
    """A field of what the operation explains."""
    nouns = {f"Why a field of one {table.noun} is as it is": table for table in TABLES}
    return {"field": str(nouns[op.says["summary"]].decider.state.__struct_encode_fields__[0])}


QUERIES: Final[Mapping[str, Callable[[Things], dict[str, Any]]]] = {
    "getTagsOfContacts": lambda things: {"ids": things["contactId"]},
    "proveLogEntry": lambda _: {"seq": 1},
    **{op.id: lambda _: {"from": "0"} for op in OPERATIONS if op.path.endswith("/diff")},
    **{op.id: partial(_field, op) for op in OPERATIONS if op.path.endswith("/explain")},
}
"""By operation, the parameters that it cannot do without."""


def makeable() -> frozenset[str]:
    """Every name that ``Things`` has an answer to."""
    named = {name for op in OPERATIONS for name in op.in_path}
    return frozenset(MAKERS) | {name for name in named if creator(name) is not None}
