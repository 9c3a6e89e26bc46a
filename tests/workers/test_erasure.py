"""Nothing of an erased person is found anywhere: a planted value is looked for in all that an installation keeps."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from psycopg import sql

from application.calling.services import Services
from daybook.embedded import EmbeddedPostgres
from eventstore.database import Db
from eventstore.offline import verify_file
from projections.catalogue import TABLES, VIEWS
from projections.table.rebuild import rebuild
from projections.verify import verify
from projections.view.rebuild import rebuild as rebuild_view
from tests.api.asserting import ok, refused
from tests.api.serving import services_on, serving
from tests.api.team import Team, created
from tests.receiver import OK, Answer, Receiver, receiving
from tests.workers.hooks import QUICK, Hooks
from tests.workers.running import Installation, eventually, running
from workers import contact_alike
from workers import job as job_worker
from workers.consuming.view import keep
from workers.relay import relay
from workers.running.context import WorkerContext
from workers.webhook import delivery as webhook_delivery
from workers.webhook import feed as webhook_feed

PLANTED: Final = "Zyxwvut"
EMAIL: Final = f"{PLANTED.lower()}@example.com"
CONTACT: Final = {
    "firstName": PLANTED,
    "lastName": PLANTED,
    "email": EMAIL,
    "phone": "+14155552671",
    "phoneExtension": PLANTED,
    "company": PLANTED,
    "jobTitle": PLANTED,
    "website": f"https://{PLANTED.lower()}.example.com",
    "source": PLANTED,
    "language": f"en-{PLANTED}",
    "communicationPreferences": {"email": PLANTED},
    "notes": PLANTED,
    "address": PLANTED,
    "city": PLANTED,
    "state": PLANTED,
    "zipcode": PLANTED,
    "country": PLANTED,
    "customFields": {f"likes {PLANTED}": PLANTED, "all": [PLANTED, 1.5]},
}
_TABLES: Final = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' AND c.relkind IN ('r', 'm') ORDER BY 1, 2
"""


NOT_OURS: Final = {"httpx", "uvicorn.access"}
"""The client of the tests, and what Daybook's server has switched off."""


async def idle(context: WorkerContext) -> None:
    await context.stop.wait()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def services(installation: Installation) -> Services:
    installation.owner.execute("TRUNCATE jobs, job_chunks, job_errors, job_cancellations, endings, job_needs")
    return services_on(installation.store.pool)


@pytest.fixture
def team(services: Services) -> Iterator[Team]:
    with serving(services) as url, httpx.Client(base_url=url, timeout=30) as http:
        yield Team(services, http)


def tables_with(owner: Db, text: str) -> list[str]:
    """The tables, in whatever schema, with a text in some column, in whatever case and however it is written."""
    found = []
    wanted = [f"%{written}%" for written in (text, text.encode().hex(), text.lower().encode().hex())]
    for schema, table in owner.execute(_TABLES).fetchall():
        query = sql.SQL("SELECT count(*) FROM {} AS one WHERE one::text ILIKE ANY(%s)")
        row = owner.execute(query.format(sql.Identifier(schema, table)), (wanted,)).fetchone()
        if row and row[0]:
            found.append(f"{schema}.{table}")
    return found


def has_keys(owner: Db, contact: dict[str, Any]) -> bool:
    """Whether a key by which duplicates are found is kept of the contact, or one is made of what was told of it."""
    told = [
        EMAIL,
        "+14155552671",
        f"{PLANTED} {PLANTED}\n{PLANTED}".lower(),
        f"{PLANTED} {PLANTED}\nexample.com".lower(),
    ]
    query = (
        "SELECT EXISTS (SELECT FROM contact_keys WHERE contact_id = %(id)s OR key = ANY(%(keys)s))"
        " OR EXISTS (SELECT FROM contact_groups WHERE first_id = %(id)s OR key = ANY(%(keys)s))"
    )
    keys = owner.execute(
        "SELECT array_agg(hashtextextended(told, 0)) FROM unnest(%s::text[]) AS told", (told,)
    ).fetchone()
    assert keys is not None
    found = owner.execute(query, {"id": contact["id"], "keys": keys[0]}).fetchone()
    return found is not None and bool(found[0])


def all_sent(installation: Installation, team: Team, webhook_id: str) -> bool:
    """Whether the endpoint has got all that is in the log."""
    query = (
        "SELECT (SELECT seq FROM consumer_checkpoints WHERE workspace_id = %(workspace)s AND consumer = 'webhooks')"
        " = %(head)s AND NOT EXISTS (SELECT FROM webhook_deliveries WHERE workspace_id = %(workspace)s"
        " AND webhook_id = %(webhook)s AND status = 'pending')"
    )
    head = installation.head(team.workspace_id)
    params = {"workspace": team.workspace_id, "head": head, "webhook": webhook_id}
    return installation.owner.execute(query, params).fetchone() == (True,)


def about(team: Team, contact: dict[str, Any]) -> dict[str, Any]:
    """One of everything that tells of a contact, changed once."""
    their = {"contactId": contact["id"]}
    call = {"direction": "inbound", "status": "completed", "notes": PLANTED, **their}
    made = {
        "notes": created(team.owner.post("/notes", {"content": PLANTED, **their})),
        "tasks": created(team.owner.post("/tasks", {"title": PLANTED, "description": PLANTED, **their})),
        "calls": created(team.owner.post("/calls", call)),
        "deals": team.owner.deal(f"{PLANTED}'s renewal", customFields={"told": PLANTED}, **their),
    }
    met = {"type": "meeting", "subject": PLANTED, "body": PLANTED, "metadata": {PLANTED: PLANTED}}
    created(team.owner.post(f"/contacts/{contact['id']}/interactions", met))
    ok(team.owner.patch(f"/notes/{made['notes']['id']}", {"content": f"{PLANTED} again"}))
    ok(team.owner.patch(f"/tasks/{made['tasks']['id']}", {"title": f"{PLANTED} again"}))
    ok(team.owner.patch(f"/tasks/{made['tasks']['id']}", {"status": "completed"}))
    ok(team.owner.patch(f"/calls/{made['calls']['id']}", {"notes": f"{PLANTED} again"}))
    ok(team.owner.patch(f"/deals/{made['deals']['id']}", {"name": f"{PLANTED} again", "status": "won"}))
    return made


def everything(team: Team, contact: dict[str, Any]) -> dict[str, Any]:
    """Whatever can happen to a contact, happens to this one."""
    path = f"/contacts/{contact['id']}"
    ok(team.owner.patch(path, {"city": f"{PLANTED}stad", "customFields": {f"likes {PLANTED}": None, "plan": PLANTED}}))
    ok(team.owner.ask("PUT", f"{path}/legal-hold", json={"reason": f"Case of {PLANTED}"}))
    assert team.owner.delete(f"{path}/legal-hold").status_code == 204
    loser = team.owner.contact(lastName=PLANTED, notes=f"{PLANTED} too")
    ok(team.owner.post(f"{path}/merge", {"loserId": loser["id"]}))
    ok(team.owner.get("/contacts", params={"search": PLANTED}))
    ok(team.owner.post("/bulk/contacts/update", {"ids": [contact["id"]], "updates": {"source": PLANTED}}), 202)
    return about(team, contact)


def log_lines(team: Team) -> bytes:
    headers = {"accept": "application/x-ndjson"}
    return team.owner.get("/log", params={"limit": 1000}, headers=headers).content


def answers(team: Team, contact: dict[str, Any], deal: dict[str, Any], webhook_id: str) -> Iterator[str]:
    """What is told of an erased contact, and of what goes on, by whatever tells of either."""
    for path in (
        f"/contacts/{contact['id']}", f"/contacts/{contact['id']}/history", "/contacts", "/activities?limit=100",
        f"/activities?entityId={contact['id']}", f"/deals/{deal['id']}", f"/deals/{deal['id']}/timeline",
        f"/deals/{deal['id']}/history", "/deals", "/notes", "/tasks", "/calls", "/jobs", "/log?limit=1000",
        f"/webhooks/{webhook_id}/deliveries?limit=100",
    ):  # fmt: skip
        yield f"{path} {team.owner.get(path).text}"
    for delivery in team.owner.listed(f"/webhooks/{webhook_id}/deliveries", limit=100):
        yield team.owner.get(f"/webhooks/{webhook_id}/deliveries/{delivery['id']}").text


def test_a_planted_value_is_found_nowhere_once_its_person_is_erased(
    installation: Installation,
    postgres: EmbeddedPostgres,
    team: Team,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    hooks = Hooks(installation)
    endpoint, slow = receiver.endpoint(Answer(body=f"Got {PLANTED}")), receiver.endpoint(Answer(503))
    bystander = team.owner.contact(firstName="Bob", email="bob@example.com")
    wanted = ["contact.*", "contact_merge.*", "note.*", "task.*", "call.*", "interaction.*", "deal.*"]
    webhook_id = created(team.owner.post("/webhooks", {"url": endpoint.url, "events": wanted}))["id"]
    created(team.owner.post("/webhooks", {"url": slow.url, "events": ["contact.created"]}))
    with running(
        hooks.config,
        idle,
        partial(relay.run, poll=0.1),
        partial(webhook_feed.run, reconcile=0.2),
        partial(webhook_delivery.run, settings=QUICK),
        partial(contact_alike.run, every=0.05),
        partial(keep, views=VIEWS, reconcile=0.2),
    ) as context:
        headers = {"idempotency-key": f"of {team.workspace_id}"}
        contact = created(team.owner.post("/contacts", CONTACT, headers=headers))
        deal = everything(team, contact)["deals"]
        csv = f"First Name,Email\n{PLANTED},{EMAIL}\n{PLANTED},{PLANTED}@@\n"
        body = {"file": ("people.csv", csv.encode(), "text/csv")}
        ok(team.owner.post("/contacts/import?async=true", None, files=body), 202)
        while job_worker.step(context):
            pass
        refused(team.owner.post("/contacts", {"email": EMAIL}), 409)
        ok(team.owner.get("/contacts/duplicates"))
        assert has_keys(installation.owner, contact)
        eventually(lambda: tables_with(installation.owner, PLANTED) != [], 10)
        eventually(lambda: any(PLANTED.encode() in got.body for got in endpoint.got), 20)
        installation.wait_for_relay(team.workspace_id)
        eventually(partial(all_sent, installation, team, webhook_id), 30)

        endpoint.answers = (OK,)
        receipt = ok(team.owner.post(f"/contacts/{contact['id']}/erase", {"reason": "Request 31"}))["data"]["receipt"]
        assert {kind["kind"] for kind in receipt["unreadable"]} == {
            "call", "contact", "contact_merge", "deal", "interaction", "note", "task",
        }  # fmt: skip
        assert not has_keys(installation.owner, contact)
        received = len(endpoint.got)
        installation.wait_for_relay(team.workspace_id)
        eventually(partial(all_sent, installation, team, webhook_id), 30)
        assert "contact.erased" in endpoint.types
        replayed = next(
            delivery
            for delivery in team.owner.listed(f"/webhooks/{webhook_id}/deliveries", limit=100)
            if delivery["eventType"] == "contact.created" and delivery["seq"] > 4
        )
        assert team.owner.post(f"/webhooks/{webhook_id}/deliveries/{replayed['id']}/replay").is_success
        eventually(lambda: endpoint.got[-1].event["type"] == "contact.created", 20)

    assert endpoint.got[-1].event["erased"] is True
    assert not has_keys(installation.owner, contact)
    assert not any(PLANTED.lower().encode() in got.body.lower() for got in endpoint.got[received:])
    assert tables_with(installation.owner, PLANTED) == []
    assert tables_with(installation.owner, "4155552671") == []
    assert PLANTED.lower() not in "".join(answers(team, contact, deal, webhook_id)).lower()
    assert PLANTED.lower().encode() not in log_lines(team).lower()
    told = json.dumps([stored.entry for stored in installation.stream()])
    assert PLANTED.lower() not in told.lower()
    assert team.owner.shown(f"/contacts/{bystander['id']}") == bystander
    assert team.owner.shown(f"/deals/{deal['id']}")["name"] == "[erased]"
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None
    assert verify_file(log_lines(team).splitlines()).finding is None
    said = [record.getMessage() for record in caplog.records if record.name not in NOT_OURS]
    assert said
    assert PLANTED.lower() not in " ".join(said).lower()
    logs = [postgres._log, installation.nats._log]
    for written in (*logs, *_files(installation.nats._data)):
        assert PLANTED.lower().encode() not in written.read_bytes().lower(), written


def _files(folder: Path) -> list[Path]:
    """What the stream keeps on disk."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_log_without_its_keys_does_not_bring_anybody_back(installation: Installation, team: Team) -> None:
    """As where a backup of the log is restored without its keys: rows and views are folded anew, and nobody is in them."""
    contact = created(team.owner.post("/contacts", CONTACT))
    made = everything(team, contact)
    path = f"/contacts/{contact['id']}"
    assert tables_with(installation.owner, PLANTED) != []
    for table in ("person_keys", "idempotency_keys", "jobs", "job_errors"):
        query = sql.SQL("DELETE FROM {} WHERE workspace_id = %s").format(sql.Identifier(table))
        installation.owner.execute(query, (team.workspace_id,))
    for rows in TABLES:
        rebuild(installation.owner, rows)
    for view in VIEWS:
        rebuild_view(installation.owner, view)
    assert tables_with(installation.owner, PLANTED) == []
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None
    assert verify_file(log_lines(team).splitlines()).finding is None
    shown = team.owner.shown(path)
    assert (shown["firstName"], shown["email"], shown["customFields"], shown["type"]) == (None, None, {}, "person")
    assert team.owner.shown(f"/deals/{made['deals']['id']}")["name"] == "[erased]"
    told = [team.owner.get(f"{path}{more}") for more in ("/history", "/timeline", "/diff?from=0")]
    told += [team.owner.get(f"/{kind}") for kind in ("contacts", "deals", "notes", "tasks", "calls", "activities")]
    assert {answer.status_code for answer in told} == {200}
    assert PLANTED not in "".join(answer.text for answer in told)
    ok(team.owner.patch(path, {"firstName": "Bob"}))
    assert team.owner.shown(path)["firstName"] == "Bob"
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None
