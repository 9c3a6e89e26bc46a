"""Accounts, sessions and keys, whose directory is in another database than the workspaces: no transaction is of both."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace as replaced

from application import api_key as api_keys
from application import identity, identity_joining, invitation, outbox
from application.calling import directory
from application.calling.secretbox import SecretBox
from application.calling.services import Services
from application.identity_repair import PENDING_SECONDS, repair
from daybook.embedded import EmbeddedPostgres
from domain.kernel import Refused
from eventstore.append import Origin
from eventstore.database import Db, Pool, open_pool, reading
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS
from schemas.identity import Credentials, Registration
from schemas.invitation import Acceptance, NewInvitation
from schemas.wire.page import PageRequest
from tests.logs import types
from tests.servers import another_database

PASSWORD = "correct horse battery staple"

_number = count(1)


class PowerCut(Exception):  # noqa: N818 - says what happens
    """The process ends here."""


class Unplugged(EventStore):
    """Between the directory and the workspace, the power fails; or right behind the workspace."""

    behind = False

    def run(self, origin: Origin, work: Callable[..., Any], *, bulk: bool = False) -> Any:
        if self.behind:
            super().run(origin, work, bulk=bulk)
        raise PowerCut


@dataclass(frozen=True)
class House:
    services: Services
    directory: Db
    worker: Pool
    """What housekeeping has to look through the directory."""

    def cut(self, *, behind: bool = False) -> Services:
        """As long as the power lasts."""
        store = Unplugged(self.services.pool, ROWS)
        store.behind = behind
        return replace(self.services, store=store)

    def repair(self) -> int:
        """As housekeeping will have done when enough time has gone by."""
        for table in ("accounts", "api_key_secrets"):
            self.directory.execute(
                f"UPDATE {table} SET created_at = created_at - make_interval(secs => %s) WHERE pending".encode(),
                (PENDING_SECONDS + 1,),
            )
        return repair(self.worker, self.services.pool)

    def log_in(self, form: Registration, password: str = PASSWORD) -> str:
        caller, token, _ = identity.log_in(self.services, Credentials(email=form.email, password=password), None, None)
        assert identity.authenticate(self.services, token, None).account_id == caller.account_id
        return token


@pytest.fixture(scope="module")
def whole_house(postgres: EmbeddedPostgres, pool: Pool) -> Iterator[House]:
    with another_database(postgres, "directory") as url, connect(url) as owner:
        app, worker = (postgres.url(user, "directory") for user in ("daybook_app", "daybook_worker"))
        with open_pool(app, size=4, timeout=30) as apart, open_pool(worker, size=2, timeout=30) as looking:
            services = Services(pool, EventStore(pool, ROWS), SecretBox(bytes(32)), directory_pool=apart)
            yield House(services, owner, looking)


@pytest.fixture
def house(whole_house: House) -> House:
    """With nobody in its directory."""
    whole_house.directory.execute("TRUNCATE accounts, account_workspaces, sessions, api_key_secrets")
    return whole_house


@pytest.fixture
def form() -> Registration:
    email = f"olga{next(_number)}@directory.example"
    return Registration(name="Olga Owner", email=email, password=PASSWORD, workspace_name="Acme")


def refused(code: str, wanted: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        wanted()
    assert caught.value.code == code


def test_all_works_with_the_directory_apart(house: House, form: Registration) -> None:
    owner = identity.register(house.services, form)
    token = house.log_in(form)
    made = api_keys.create_api_key(house.services, owner, "Shop").value
    caller = identity.authenticate(house.services, made.raw, None)
    assert (caller.api_key_id, caller.role, caller.workspace_id) == (made.key.id, "owner", owner.workspace_id)
    house.services.store.run(owner.origin(), lambda unit: api_keys.revoke_api_key(unit, made.key.id))
    refused("unauthenticated", lambda: identity.authenticate(house.services, made.raw, None))
    identity.log_out(house.services, identity.authenticate(house.services, token, None))
    refused("unauthenticated", lambda: identity.authenticate(house.services, token, None))
    assert house.repair() == 0
    refused("validation_failed", lambda: identity.register(house.services, form))


class TestRegisteringThatWasCutShort:
    def test_lets_nobody_in(self, house: House, form: Registration) -> None:
        with pytest.raises(PowerCut):
            identity.register(house.cut(), form)
        refused("unauthenticated", lambda: house.log_in(form))

    @pytest.mark.parametrize("behind", [False, True])
    def test_is_finished_by_the_next_attempt(self, house: House, form: Registration, *, behind: bool) -> None:
        with pytest.raises(PowerCut):
            identity.register(house.cut(behind=behind), form)
        caller = identity.register(house.services, form)
        house.log_in(form)
        registered = types(house.services.pool, caller.workspace_id)[:3]
        assert registered == ["workspace.created", "user.registered", "membership.granted"]
        refused("validation_failed", lambda: identity.register(house.services, form))

    @pytest.mark.parametrize("behind", [False, True])
    def test_is_not_finished_by_somebody_else(self, house: House, form: Registration, *, behind: bool) -> None:
        with pytest.raises(PowerCut):
            identity.register(house.cut(behind=behind), form)
        stranger = Registration(name="Eve", email=form.email, password="another password", workspace_name="Evil")
        refused("validation_failed", lambda: identity.register(house.services, stranger))

    def test_is_taken_away_when_nobody_comes_back(self, house: House, form: Registration) -> None:
        with pytest.raises(PowerCut):
            identity.register(house.cut(), form)
        assert house.repair() == 1
        assert directory.account(house.services.directory, form.email) is None
        identity.register(house.services, form)
        house.log_in(form)

    def test_is_settled_where_the_workspace_was_made(self, house: House, form: Registration) -> None:
        with pytest.raises(PowerCut):
            identity.register(house.cut(behind=True), form)
        assert house.repair() == 1
        house.log_in(form)

    def test_is_settled_by_logging_in_where_the_workspace_was_made(self, house: House, form: Registration) -> None:
        with pytest.raises(PowerCut):
            identity.register(house.cut(behind=True), form)
        refused("unauthenticated", lambda: house.log_in(form, "wrong password"))
        house.log_in(form)
        assert house.repair() == 0

    def test_is_left_alone_while_it_may_still_be_going_on(self, house: House, form: Registration) -> None:
        with pytest.raises(PowerCut):
            identity.register(house.cut(), form)
        assert repair(house.worker, house.services.pool) == 0
        identity.register(house.services, form)


class TestAKeyThatWasCutShort:
    @pytest.fixture
    def raw(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """The key that is made next: nobody was ever told."""
        chance = f"{next(_number):043}"
        monkeypatch.setattr(secrets, "token_urlsafe", lambda _: chance)
        return api_keys.KEY_PREFIX + chance

    def cut_short(self, house: House, form: Registration, *, behind: bool) -> None:
        owner = identity.register(house.services, form)
        with pytest.raises(PowerCut):
            api_keys.create_api_key(house.cut(behind=behind), owner, "Shop")

    def test_lets_nobody_in_before_the_workspace_knows_it(self, house: House, form: Registration, raw: str) -> None:
        self.cut_short(house, form, behind=False)
        assert directory.holder(house.services.directory, identity.hashed(raw)) is not None
        refused("unauthenticated", lambda: identity.authenticate(house.services, raw, None))

    def test_is_taken_away_where_the_workspace_does_not_know_it(
        self, house: House, form: Registration, raw: str
    ) -> None:
        self.cut_short(house, form, behind=False)
        house.repair()
        assert directory.holder(house.services.directory, identity.hashed(raw)) is None

    def test_is_settled_where_the_workspace_knows_it(self, house: House, form: Registration, raw: str) -> None:
        self.cut_short(house, form, behind=True)
        assert house.repair() == 1
        assert house.repair() == 0
        assert identity.authenticate(house.services, raw, None).api_key_id is not None

    def test_leaves_nothing_where_it_was_refused(self, house: House, form: Registration, raw: str) -> None:
        owner = identity.register(house.services, form)
        refused("validation_failed", lambda: api_keys.create_api_key(house.services, owner, "x" * 10_000))
        assert directory.holder(house.services.directory, identity.hashed(raw)) is None


class TestJoiningThatWasCutShort:
    def invited(self, house: House, form: Registration) -> Acceptance:
        owner = identity.register(house.services, replaced(form, email=f"owner.{form.email}"))
        guest = NewInvitation(email=form.email, role="member", name="Mara")
        house.services.store.run(owner.origin(), lambda unit: invitation.invite(unit, house.services, owner, guest))
        with reading(house.services.pool, owner.workspace_id) as conn:
            (mail,), _, _ = outbox.listed(house.services, owner, conn, PageRequest(), None)
        return Acceptance(token=str(mail.text).partition("#")[2].split()[0], password=PASSWORD)

    def join(self, services: Services, acceptance: Acceptance) -> None:
        guest = identity_joining.guest(services, acceptance, None)
        password_hash = services.hasher.hash(PASSWORD) if guest.account is None else None
        assert guest.account is None or identity.is_password(services, guest.account, PASSWORD)
        identity_joining.accept(services, guest, acceptance, password_hash, "request")

    def test_lets_nobody_in_and_is_finished_by_the_next_attempt(self, house: House, form: Registration) -> None:
        acceptance = self.invited(house, form)
        with pytest.raises(PowerCut):
            self.join(house.cut(), acceptance)
        refused("unauthenticated", lambda: house.log_in(form))
        self.join(house.services, acceptance)
        house.log_in(form)
        assert house.repair() == 0

    def test_is_settled_by_logging_in_where_they_are_a_member(self, house: House, form: Registration) -> None:
        acceptance = self.invited(house, form)
        with pytest.raises(PowerCut):
            self.join(house.cut(behind=True), acceptance)
        house.log_in(form)
        refused("validation_failed", lambda: self.join(house.services, acceptance))

    def test_is_taken_away_when_nobody_comes_back(self, house: House, form: Registration) -> None:
        acceptance = self.invited(house, form)
        with pytest.raises(PowerCut):
            self.join(house.cut(), acceptance)
        assert house.repair() == 1
        assert directory.account(house.services.directory, form.email) is None
        self.join(house.services, acceptance)
        house.log_in(form)


def test_a_session_that_was_cut_short_is_known_to_nobody_and_the_next_one_is_another(
    house: House, form: Registration
) -> None:
    identity.register(house.services, form)
    with pytest.raises(PowerCut):
        identity.log_in(house.cut(), Credentials(email=form.email, password=PASSWORD), None, None)
    house.log_in(form)


def test_a_session_is_over_even_where_the_workspace_never_heard_of_it(house: House, form: Registration) -> None:
    identity.register(house.services, form)
    token = house.log_in(form)
    caller = identity.authenticate(house.services, token, None)
    with pytest.raises(PowerCut):
        identity.log_out(house.cut(), caller)
    refused("unauthenticated", lambda: identity.authenticate(house.services, token, None))


def test_a_key_stays_revoked_whatever_the_directory_has(house: House, form: Registration) -> None:
    """An older directory may have been put back: the workspace has the last word."""
    owner = identity.register(house.services, form)
    made = api_keys.create_api_key(house.services, owner, "Shop").value
    house.services.store.run(owner.origin(), lambda unit: api_keys.revoke_api_key(unit, made.key.id))
    assert directory.holder(house.services.directory, identity.hashed(made.raw)) is not None
    refused("unauthenticated", lambda: identity.authenticate(house.services, made.raw, None))
