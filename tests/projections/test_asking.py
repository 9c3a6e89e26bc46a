"""A filter means one thing: its SQL finds those of which its test of a single record holds."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.company import Company
from domain.contact import Contact
from domain.custom_field import CustomField
from domain.deal import Deal
from domain.kernel import Refused
from domain.kernel.filter import Condition, Conditions, Filter, Group, Operator
from domain.kernel.money import Money
from domain.kernel.values import slug
from domain.tag import Tag
from eventstore.database import Db, Pool, reading, writing
from eventstore.ids import new_id
from eventstore.rows import Change, Current
from projections.company import COMPANIES
from projections.contact import CONTACTS
from projections.contact_asked import FIELDS
from projections.custom_field import CUSTOM_FIELDS
from projections.custom_field_asked import defined
from projections.deal import DEALS
from projections.table.asking.asked import Fields, asked
from projections.table.rows import RowTable
from projections.tag_row import TAGS
from tests.conftest import make_workspace

START: Final = datetime(2026, 3, 14, 22, tzinfo=UTC)
CONTACTS_THERE: Final = 300
WORDS: Final = (
    "",
    "Ümit",
    "umit",
    "ACME Ørsted",
    "acme",
    "a_b",
    "a%b",
    "100%",
    "İstanbul",
    "ΣΑΣ",
    "\\",
    "z" * 40,
    "42",
    "1.50",
)
NUMBERS: Final = (0, -1, 42, 1.5, 0.1, 1e16, 9_007_199_254_740_991, -0.0, 1e-7)
VALUES: Final = (*WORDS, *NUMBERS, True, False)
USERS: Final = (UUID(int=1), UUID(int=2))
MOMENTS: Final = [START + timedelta(hours=hours, microseconds=hours % 2) for hours in (0, 1, 2, 3, 26, 27)]
DATES: Final = (
    "2026-03-14", "2026-03-15", "2026-03-16", "2026-03-14T22:00:00Z", "2026-03-15T00:00:00+02:00",
    "2026-03-14T22:00:00.000001Z", "2026-03-15T01:00:00-03:30",
)  # fmt: skip
ALL_ALIKE: Final = {"type", "globallyUnsubscribed", "id", "custom.none"}
STATED: Final = ("notes", "job_title", "website", "language", "address", "city", "state", "zipcode", "country")
KEYS: Final = ("size", "größe", "a b", "none")
DEFINED: Final[dict[str, dict[str, Any]]] = {
    "note": {"type": "text"},
    "mail": {"type": "email"},
    "site": {"type": "url"},
    "tel": {"type": "phone"},
    "score": {"type": "number"},
    "since": {"type": "date"},
    "at": {"type": "datetime"},
    "vip": {"type": "boolean"},
    "level": {"type": "select", "options": ("Größe XL", "m", "ACME")},
    "levels": {"type": "multi_select", "options": ("Größe XL", "m", "ACME"), "allow_multiple": True},
    "friend": {"type": "related"},
}
"""What a workspace has defined, by key."""
TYPED: Final[dict[str, tuple[Any, ...]]] = {
    "note": ("acme", "ACME Ørsted", "a_b", "42"),
    "mail": ("ada@acme.example", "b@example.com"),
    "site": ("https://acme.example", "https://m.example/a/b"),
    "tel": ("+14155552671", "+4930901820"),
    "score": (0, -1, 42, 1.5, 1e16),
    "since": ("2026-03-14", "2026-03-15", "2026-03-16"),
    "at": ("2026-03-14T22:00:00Z", "2026-03-14T22:00:00.000001Z", "2026-03-15T04:30:00Z", "2026-03-16T00:00:00Z"),
    "vip": (True, False),
    "level": ("Größe XL", "m"),
    "levels": (["Größe XL", "m"], ["ACME"], ["m"]),
    "friend": (str(UUID(int=1)), str(UUID(int=2))),
}
"""What values of them are; there are others, too, from before."""
SAID: Final = ("m", "ACTIVE", "acme.example", "+1415", "VIP", "grosse xl", "a/b", "Brewing", "person")
MATCH: Final = st.sampled_from(["all", "any"])
TAG_NAMES: Final = ("VIP", "Größe XL", "a/b", "lead")


def record(state: Any, at: datetime = START) -> Current[Any]:
    return Current(new_id(), state, 1, at, at)


def a_contact(number: random.Random, tags: list[UUID], companies: list[UUID]) -> Current[Contact]:
    """Any: often without a value, and often with one that others have too."""

    def maybe(values: Any) -> Any:
        return number.choice([None, number.choice(values)])

    custom: dict[str, Any] = {
        key: number.choice([number.choice(VALUES), number.sample(VALUES, 2)])
        for key in KEYS[:3]
        if number.random() < 0.5
    } | {
        key: number.choice(values) if number.random() < 0.9 else number.choice(VALUES)
        for key, values in TYPED.items()
        if number.random() < 0.7
    }
    state = Contact(
        first_name=maybe(WORDS[1:]), last_name=maybe(WORDS[1:]), company=maybe(WORDS[1:]), source=maybe(WORDS[1:]),
        email=f"{number.randrange(10**9)}@{number.choice(['Example.com', 'acme.example'])}".lower(),
        phone=maybe(["+14155552671", "+4930901820"]), company_id=maybe(companies), assigned_to=maybe(USERS),
        status=number.choice(["ACTIVE", "INACTIVE"]), dnc=number.random() < 0.5,
        **{name: maybe(WORDS[1:]) for name in STATED}, birthday=maybe(["2026-03-15", "1984-11-02"]),
        tags=tuple(number.sample(tags, number.randrange(3))), custom_fields=custom,
    )  # fmt: skip
    return record(state, number.choice(MOMENTS))


def a_deal(number: random.Random, contact_id: UUID) -> Current[Deal]:
    return record(
        Deal(
            name=number.choice(WORDS[1:]), contact_id=contact_id, value=Money(amount=number.choice([0, 4200, 150]), currency="EUR"),
            pipeline_id=UUID(int=1), stage_id=UUID(int=2), status=number.choice(["open", "won", "lost"]),
            expected_close_date=number.choice([None, "2026-03-15"]),
        ),
        number.choice(MOMENTS),
    )  # fmt: skip


class Stored:
    """A workspace with contacts, some of companies and with tags."""

    def __init__(self, pool: Pool, workspace: UUID) -> None:
        self.pool, self.workspace = pool, workspace
        number = random.Random(7)
        tags = [record(Tag(name=name, slug=slug(name), color=None)) for name in TAG_NAMES]
        companies = [
            record(Company(name="Acme", industry="Brewing", domain="acme.example", size="1-10")),
            record(Company(name="Ørsted")),
        ]
        ids = [tag.id for tag in tags], [company.id for company in companies]
        self.contacts = [a_contact(number, *ids) for _ in range(CONTACTS_THERE)]
        deals = [a_deal(number, contact.id) for contact in self.contacts[::3] for _ in range(number.randrange(3))]
        fields = [record(CustomField(name=key, key=key, entity="contact", **more)) for key, more in DEFINED.items()]
        with writing(pool, workspace) as conn:
            for table, rows in (
                (CUSTOM_FIELDS, fields),
                (TAGS, tags),
                (COMPANIES, companies),
                (CONTACTS, self.contacts),
                (DEALS, deals),
            ):
                self._write(conn, table, rows)
        self.tags, self.companies = ids
        with reading(pool, workspace) as conn:
            known = defined(conn, CONTACTS, FIELDS)
            custom = {key: known.within["custom"](key) for key in (*KEYS, *DEFINED)}
        self.fields = replace(FIELDS, within={**FIELDS.within, "custom": custom.get})
        self.conditions = sound(self)
        self.filters = filters(self.conditions, self.fields)

    def _write(self, conn: Db, table: RowTable[Any], rows: list[Current[Any]]) -> None:
        table.write(conn, self.workspace, [Change(row.id, None, row) for row in rows], bulk=True)

    def found(self, wanted: Filter) -> set[UUID]:
        """By SQL."""
        where = asked(wanted, self.fields).where()
        query = f"SELECT id FROM {CONTACTS.table} WHERE workspace_id = %s AND ({where.sql})"
        with reading(self.pool, self.workspace) as conn:
            return {row[0] for row in conn.execute(query.encode(), (self.workspace, *where.params_in(self.workspace)))}

    def tells(self, wanted: Filter) -> bool:
        """Whether it finds some and not all."""
        return 0 < len(self.found(wanted)) < CONTACTS_THERE

    def held(self, wanted: Filter) -> set[UUID]:
        """One by one, in Python."""
        with reading(self.pool, self.workspace) as conn:
            holds = asked(wanted, self.fields).test(conn)
            return {contact.id for contact in self.contacts if holds(contact)}


@pytest.fixture(scope="module")
def stored(owner: Db, pool: Pool) -> Stored:
    return Stored(pool, make_workspace(owner))


NAMES: Final = (
    *sorted(FIELDS.known),
    *(f"custom.{key}" for key in (*KEYS, *DEFINED)),
    *(f"company.{name}" for name in sorted(COMPANIES.fields.known)),
    *(f"deals.{name}" for name in ("name", "value", "status", "expectedCloseDate")),
)


def is_sound(condition: Condition, fields: Fields) -> bool:
    try:
        asked(condition, fields)
    except Refused:
        return False
    return True


def candidates(stored: Stored) -> list[Any]:
    ids = [str(each) for each in (*stored.tags, *stored.companies, *USERS, stored.contacts[0].id)]
    one = [*WORDS, *SAID, *NUMBERS, True, False, *DATES, *ids, 10**30, -1.5e299]
    number = random.Random(3)
    return [None, *one, *(number.sample(one, 2) for _ in range(100)), *([each] for each in one)]


def sound(stored: Stored) -> list[Condition]:
    """Every field and operator with every value that they can be asked with."""
    return [
        condition
        for name in NAMES
        for operator in get_args(Operator)
        for value in candidates(stored)
        if is_sound(condition := Condition(field=name, operator=operator, value=value), stored.fields)
    ]


def any_text(condition: Condition, fields: Fields) -> st.SearchStrategy[Condition]:
    """It, or the same with another text."""
    if not isinstance(condition.value, str):
        return st.just(condition)

    def with_text(text: str) -> Condition:
        return msgspec.structs.replace(condition, value=text)

    other = st.text(max_size=3).map(with_text).filter(lambda found: is_sound(found, fields))
    return st.just(condition) | other if is_sound(with_text("x"), fields) else st.just(condition)


def filters(conditions: list[Condition], fields: Fields) -> st.SearchStrategy[Filter]:
    """Of each field and operator as often as of any other."""
    asking = defaultdict[tuple[str, str], list[Condition]](list)
    for condition in conditions:
        asking[condition.field, condition.operator].append(condition)
    one = (
        st.sampled_from(list(asking.values()))
        .flatmap(st.sampled_from)
        .flatmap(lambda condition: any_text(condition, fields))
    )
    inner = st.builds(_inner, MATCH, st.lists(one, max_size=3))
    return one | st.builds(_group, MATCH, st.lists(one, max_size=3), st.lists(inner, max_size=2))


def _inner(match: Any, conditions: list[Condition]) -> Conditions:
    return Conditions(match=match, conditions=tuple(conditions))


def _group(match: Any, conditions: list[Condition], groups: Sequence[Conditions] = ()) -> Group:
    return Group(match=match, conditions=tuple(conditions), groups=tuple(groups))


def check(stored: Stored, wanted: Filter) -> None:
    assert stored.found(wanted) == stored.held(wanted)


QUIET: Final = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@settings(max_examples=350, deadline=None, suppress_health_check=QUIET, derandomize=True)
@given(data=st.data())
def test_a_filter_in_sql_and_its_test_of_one_record_agree(stored: Stored, data: st.DataObject) -> None:
    """350 filters of 300 contacts: more than 100,000 pairs."""
    check(stored, data.draw(stored.filters))


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=2_000, deadline=None, suppress_health_check=QUIET)
@given(data=st.data())
def test_more_than_half_a_million_pairs_agree(stored: Stored, data: st.DataObject) -> None:
    check(stored, data.draw(stored.filters))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ALL_ALIKE])
def test_each_field_is_told_apart_by_some_operators(stored: Stored, name: str) -> None:
    """What agrees only because nothing is ever found, or all, agrees on nothing."""
    asking = defaultdict[str, list[Condition]](list)
    for condition in stored.conditions:
        if condition.field == name:
            asking[condition.operator].append(condition)
    telling = [operator for operator, conditions in asking.items() if any(map(stored.tells, conditions))]
    assert len(telling) >= 2
