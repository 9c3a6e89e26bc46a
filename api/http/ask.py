"""What a handler does its work with: ``Ask`` to read, ``Act`` to have something done, ``Change`` to have it done to a thing.

The application provides them by the name of the parameter: ``ask``, ``act`` or ``change``. All of them answer too; what a
handler takes is what its documentation goes by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any, Final, TypeVar
from uuid import UUID

from litestar import Request
from litestar.di import Provide
from litestar.params import SkipValidation

from api.http.answers import Answer, Json, plain, rendered
from api.http.body import raw_body
from api.http.etag import versions
from application.calling.caller import Caller
from application.calling.services import Services
from application.working import deletion
from domain.kernel import Command, Decider, Refused, State, not_found
from eventstore.append import Origin
from eventstore.database import Db, reading
from eventstore.idempotency import IdempotencyKey
from eventstore.ids import new_id
from eventstore.letting_go import TooManyError
from eventstore.rows import Current
from eventstore.work import Work
from projections.table.asking.compiled import TRUE, Compiled
from projections.table.listing import Listed, Listing
from projections.table.rows import RowTable
from schemas.job import JobView
from schemas.wire.page import One, Page, PageRequest, page_meta

S = TypeVar("S", bound=State)
V = TypeVar("V")

SHOWN: Final = "shown"
"""In a request's state, what it was answered with."""

Asked = Request[Caller, Any, Any]
Views = Callable[[Db, list[Current[S]]], Sequence[V]]
"""How things are shown: several at once, in the order given."""


Found = UUID | Callable[[Work], UUID]
"""The id of a thing, or how it is found in the unit of work that changes it."""


class Ask:
    """A request of a caller, who reads what they may see, and the answers there are to it."""

    __slots__ = ("beside", "request", "services")

    def __init__(self, services: Services, request: Asked) -> None:
        self.services = services
        self.request = request
        self.beside: dict[str, str] = {}
        """Headers that its answer has beside those that it is given."""

    @property
    def caller(self) -> Caller:
        return self.request.user

    @property
    def visible_to(self) -> UUID | None:
        """Whose things only may be seen; ``None``: everybody's."""
        return self.caller.visible_to

    def reading(self, *, single: bool = False) -> AbstractContextManager[Db]:
        """A connection that reads the caller's workspace; ``single``: by one statement. Raises ``Unavailable``."""
        return reading(self.services.pool, self.caller.workspace_id, self.visible_to, single=single)

    def seen(self, conn: Db, table: RowTable[S], ids: Sequence[UUID]) -> list[Current[S]]:
        """Of these things those that exist and that the caller may see."""
        return [current for current in table.read(conn, ids) if table.visible(conn, current, self.visible_to)]

    def found(self, conn: Db, table: RowTable[S], thing_id: UUID) -> Current[S]:
        """One thing; refuses with ``not_found`` where there is none that the caller may see."""
        for current in self.seen(conn, table, [thing_id]):
            return current
        raise not_found(table.noun)

    # Answers.

    def one(
        self, table: RowTable[S], thing_id: UUID, views: Views[S, V], *, alone: Callable[[S], bool] | None = None
    ) -> Json[One[V]]:
        """One thing with its version (``ETag``), or 404.

        Where it stands ``alone``, it is 304 without a body when the caller has this version already. A view that also
        shows what other things say (names of tags, counts) may change while the version stays: it is answered in full.
        """
        with self.reading(single=table.beside is not None) as conn:
            current = self.found(conn, table, thing_id)
            (view,) = views(conn, [current])
        headers = {"etag": f'"{current.version}"'}
        if alone is not None and alone(current.state) and self._has(current.version):
            return Json(b"", status_code=304, headers=headers)
        return self.told(view, headers=headers)

    def _has(self, version: int) -> bool:
        """Whether ``If-None-Match`` names this version, weakly or not."""
        given = ",".join(self.request.headers.getall("if-none-match", []))
        known = (entry.strip().removeprefix("W/") for entry in given.split(","))
        return any(entry in ("*", f'"{version}"') for entry in known)

    def told(self, view: V, status: int = 200, headers: Mapping[str, str] | None = None) -> Json[One[V]]:
        """A view in its envelope: of what has no version, as it is."""
        self.request.scope["state"][SHOWN] = (view,)
        return plain(One(data=view), status, self.headed(headers))

    def many(
        self, listing: Listing[S], wanted: PageRequest, views: Views[S, V], where: Compiled = TRUE
    ) -> Json[Page[V]]:
        """A page of a table, of what the caller may see."""
        return self.listed(wanted, lambda conn: listing.fetch(conn, wanted, where), views)

    def listed(
        self, wanted: PageRequest, fetch: Callable[[Db], Listed[S]], views: Views[S, V], *, single: bool = False
    ) -> Json[Page[V]]:
        """A page of what ``fetch`` finds; it has to heed ``visible_to`` itself. ``single``: all that is shown, it finds."""
        with self.reading(single=single) as conn:
            found = fetch(conn)
            shown = views(conn, found.rows)
        return self.page(wanted, shown, found.total, found.next_cursor, exact=found.exact)

    def page(
        self,
        wanted: PageRequest,
        views: Sequence[V],
        total: int,
        next_cursor: str | None,
        *,
        exact: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Json[Page[V]]:
        """A page of a list that is no table of things; ``total`` is of the whole list, or, not ``exact``, less."""
        self.request.scope["state"][SHOWN] = views
        meta = page_meta(wanted, total, next_cursor, exact=exact)
        return plain(Page(data=list(views), meta=meta), headers=self.headed(headers))

    def headed(self, headers: Mapping[str, str] | None) -> Mapping[str, str] | None:
        """The headers of an answer that has these."""
        return headers


class Act(Ask):
    """A request to have something done, in one unit of work; repeated under the same ``Idempotency-Key`` it is answered as
    the first time.
    """

    __slots__ = ()

    def begin(self, decider: Decider[Any, Any, S], command: Command, views: Views[S, V]) -> Json[One[V]]:
        """201 with the new thing that the command makes, where there is no more to it than that."""
        return self.create(lambda unit: unit.begin(decider, new_id(), command), _by(views))

    def create(self, work: Callable[[Work], Current[S]], view: Callable[[Work, Current[S]], V]) -> Json[One[V]]:
        """201 with the new thing, which is below the path asked."""
        return self.create_or_change(lambda unit: (work(unit), True), view)

    def create_or_change(
        self, work: Callable[[Work], tuple[Current[S], bool]], view: Callable[[Work, Current[S]], V]
    ) -> Json[One[V]]:
        """201 or, where ``work`` says that the thing is not new, 200."""

        def answered(unit: Work) -> Answer:
            current, new = work(unit)
            location = f"{self.request.scope['path'].rstrip('/')}/{current.id}"
            return Answer(view(unit, current), current.version, 201 if new else 200, location)

        return self.answer(answered)

    def done(self, work: Callable[[Work], object]) -> Json[None]:
        """204: there is nothing to say."""

        def answered(unit: Work) -> Answer:
            work(unit)
            return Answer(status=204)

        return self.answer(answered)

    def answer(
        self,
        work: Callable[[Work], Answer],
        *,
        body: bytes | None = None,
        origin: Origin | None = None,
        bulk: bool = False,
    ) -> Json[Any]:
        """Whatever ``work`` says.

        ``body``: a digest of it, where the handler has read it itself. ``origin``: the caller's, unless it is another.
        """

        def answered(unit: Work) -> Answer:
            answer = work(unit)
            answer.headers.update(self.beside)
            return answer

        origin = origin or self.caller.origin()
        key = self._key(raw_body(self.request) if body is None else body)
        stored = self.services.store.answer(origin, key, answered, rendered, bulk=bulk)
        headers = dict(stored.headers)
        if stored.replayed:
            headers["idempotency-replayed"] = "true"
        return Json(stored.body, status_code=stored.status, headers=headers)

    def _key(self, body: bytes) -> IdempotencyKey | None:
        given = self.request.headers.get("idempotency-key")
        if given is None:
            return None
        url, caller = self.request.url, self.caller
        asked = "\n".join((self.request.method, url.path, str(url.query))).encode()
        who = caller.api_key_id or caller.account_id
        return IdempotencyKey(who, given, sha256(asked + b"\n" + body).digest())


class Change(Act):
    """A request to have something done to a thing that has a version: not if it has changed since (412).

    ``if_version`` is known to the work that is handed over: the version that the thing must be at, ``None`` for any.
    """

    __slots__ = ("if_version",)

    if_version: int | None

    def execute(
        self, decider: Decider[Any, Any, S], thing: Found, command: Command, views: Views[S, V]
    ) -> Json[One[V]]:
        """200 with the thing as the command leaves it, where there is no more to it than that."""

        def work(unit: Work) -> Current[S]:
            current = unit.execute(decider, _id(unit, thing), command, if_version=self.if_version)
            assert current is not None, "what ends a thing goes through end()"
            return current

        return self(work, _by(views))

    def end(self, decider: Decider[Any, Any, S], thing: Found, command: Command) -> Json[Any]:
        """204: the thing is no more; or 202 with the job that sees to it, where very many refer to it."""
        kind = decider.stream_type
        return self.ended(
            lambda unit: unit.execute(decider, _id(unit, thing), command, if_version=self.if_version),
            lambda unit: deletion.begin(unit, self.caller, kind, _id(unit, thing), self.if_version),
        )

    def ended(self, work: Callable[[Work], object], begin: Callable[[Work], JobView]) -> Json[Any]:
        """204 where ``work`` ends a thing; or 202 with the job that ``begin`` makes, where very many refer to it."""

        def over(unit: Work) -> Answer:
            work(unit)
            return Answer(status=204)

        return self.now_or_later(over, by_job(begin))

    def now_or_later(self, work: Callable[[Work], Answer], begin: Callable[[Work], Answer]) -> Json[Any]:
        """Whatever ``work`` says; or, where that is more than is changed at once, ``begin``."""
        try:
            return self.answer(work)
        except TooManyError:
            return self.answer(begin)

    def __call__(self, work: Callable[[Work], Current[S]], view: Callable[[Work, Current[S]], V]) -> Json[One[V]]:
        """200 with the thing as it then is."""

        def answered(unit: Work) -> Answer:
            current = work(unit)
            return Answer(view(unit, current), current.version)

        return self.answer(answered)

    def answer(self, work: Callable[[Work], Answer], **how: Any) -> Json[Any]:
        """Whatever ``work`` says, of a thing at one of the versions that ``If-Match`` names: tried one after the other."""
        *others, last = versions(self.request.headers.getall("if-match", []))
        for self.if_version in others:
            try:
                return super().answer(work, **how)
            except Refused as refusal:
                if refusal.code != "precondition_failed":
                    raise
        self.if_version = last
        return super().answer(work, **how)


def by_job(begin: Callable[[Work], JobView]) -> Callable[[Work], Answer]:
    """202 with the job that ``begin`` makes, and where it is."""

    def begun(unit: Work) -> Answer:
        job = begin(unit)
        return Answer(job, status=202, location=f"/api/v1/jobs/{job.id}")

    return begun


def _id(unit: Work, thing: Found) -> UUID:
    return thing if isinstance(thing, UUID) else thing(unit)


def _by(views: Views[S, V]) -> Callable[[Work, Current[S]], V]:
    """How one thing is shown in the unit of work that has changed it."""
    return lambda unit, current: views(unit.conn, [current])[0]


def provided(services: Services) -> dict[str, Provide]:
    """By name: what a handler may ask for."""

    def ask(request: SkipValidation[Asked]) -> Ask:
        return Ask(services, request)

    def act(request: SkipValidation[Asked]) -> Act:
        return Act(services, request)

    def change(request: SkipValidation[Asked]) -> Change:
        return Change(services, request)

    return {made.__name__: Provide(made, sync_to_thread=False) for made in (ask, act, change)}
