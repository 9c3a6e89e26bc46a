"""Bundles of the log over HTTP: made by jobs, told of while they are made, downloaded in one go or from where it broke off."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest

from application import audit_export
from application.calling.services import Services
from application.calling.signing import signing_key
from eventstore.bundle import making
from eventstore.bundle.replaying import replayed
from eventstore.database import Db, Pool
from tests.api.asserting import ok, refused
from tests.api.serving import serving
from tests.api.team import Team
from tests.api.working import step
from tests.verify.bundles import entries_of, unpacked, verified


class Exporting:
    """A team, and a worker for it."""

    def __init__(self, team: Team, worker_pool: Pool) -> None:
        self.team = team
        self._pool = worker_pool

    def begun(self, **bounds: str) -> dict[str, Any]:
        view = ok(self.team.owner.post("/audit/exports", bounds), 202)["data"]
        assert view["status"] == "processing"
        return dict(view)

    def step(self) -> None:
        assert step(self.team.services.store, self._pool)

    def shown(self, view: dict[str, Any]) -> dict[str, Any]:
        return self.team.owner.shown(f"/audit/exports/{view['id']}")

    def made(self, **bounds: str) -> dict[str, Any]:
        view = self.begun(**bounds)
        while self.shown(view)["status"] == "processing":
            self.step()
        return self.shown(view)

    def bundle(self, view: dict[str, Any]) -> bytes:
        answer = self.team.owner.get(f"/audit/exports/{view['id']}/bundle")
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture
def exporting(team: Team, worker_pool: Pool) -> Exporting:
    for _ in range(5):
        team.owner.contact(firstName="Ada")
    return Exporting(team, worker_pool)


def trusted(team: Team) -> str:
    return signing_key(team.services.box.key).public_key().public_bytes_raw().hex()


def test_the_whole_log_is_made_into_a_bundle_that_verifies(exporting: Exporting) -> None:
    view = exporting.made()
    head = ok(exporting.team.owner.get("/log"))["meta"]["head"]
    assert (view["status"], view["first"], view["last"]) == ("completed", 1, head)
    assert view["total"] == view["processed"] == head
    bundle = exporting.bundle(view)
    assert view["size"] == len(bundle)
    found = verified(bundle, trusted=[trusted(exporting.team)])
    assert (found.verdict, found.report.events) == ("intact", head)
    assert found.declaration is not None
    assert str(found.declaration.workspace_id) == str(exporting.team.workspace_id)
    assert str(found.declaration.made_by.id) == str(exporting.team.owner.account_id)


def test_what_is_written_meanwhile_is_not_in_it(exporting: Exporting) -> None:
    view = exporting.begun()
    exporting.step()
    exporting.team.owner.tag()
    while exporting.shown(view)["status"] == "processing":
        exporting.step()
    assert verified(exporting.bundle(view), trusted=[trusted(exporting.team)]).report.events == view["last"]


def test_how_far_it_has_come_is_told(exporting: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PART_EVENTS", 4)
    view = exporting.begun(to="9")
    told = []
    while exporting.shown(view)["status"] == "processing":
        told.append(exporting.shown(view)["processed"])
        exporting.step()
    assert told == [0, 0, 4, 8, 9]
    assert verified(exporting.bundle(view)).report.events == 9
    assert exporting.team.owner.shown(f"/jobs/{view['id']}")["kind"] == "audit_export"


def test_a_stretch_is_exported_by_seq_or_time(exporting: Exporting) -> None:
    owner = exporting.team.owner
    entries = ok(owner.get("/log"))["data"]
    view = exporting.made(**{"from": "2", "to": "4"})
    assert (view["first"], view["last"], view["lastHash"]) == (2, 4, entries[3]["hash"])
    by_time = exporting.made(**{"from": entries[0]["recordedAt"], "to": entries[3]["recordedAt"]})
    assert (by_time["first"], by_time["last"]) == (
        1 + max(entry["seq"] for entry in entries if entry["recordedAt"] <= entries[0]["recordedAt"]),
        max(entry["seq"] for entry in entries if entry["recordedAt"] <= entries[3]["recordedAt"]),
    )
    assert [entry.seq for entry in entries_of(unpacked(exporting.bundle(view)))] == [2, 3, 4]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": "1000000"}, "to"),
        ({"from": "4", "to": "3"}, "from"),
        ({"to": "0"}, "to"),
        ({"from": "soon"}, "from"),
        ({"to": "2099-01-01T00:00:00Z"}, "to"),
        ({"from": 3}, "from"),
        ({"until": "3"}, "until"),
        ({"to": "1" * 41}, "to"),
    ],
)
def test_a_stretch_that_is_none_is_refused_naming_the_field(
    exporting: Exporting, body: dict[str, Any], field: str
) -> None:
    refused(exporting.team.owner.post("/audit/exports", body), 422, field)
    assert exporting.team.owner.listed("/audit/exports") == []


@pytest.mark.parametrize("since", ["soon", "0", "1000000", "2099-01-01T00:00:00Z"])
def test_nothing_is_signed_for_a_stretch_that_begins_nowhere(exporting: Exporting, since: str) -> None:
    refused(exporting.team.owner.post("/audit/exports", {"from": since}), 422, "from")
    assert exporting.team.owner.listed("/log/checkpoints") == []


def test_a_download_that_broke_off_goes_on(exporting: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PART_EVENTS", 4)
    view = exporting.made()
    whole = exporting.bundle(view)
    path = f"/audit/exports/{view['id']}/bundle"
    for start in (0, 1, 511, 3000, len(whole) - 1):
        answer = exporting.team.owner.get(path, headers={"range": f"bytes={start}-"})
        assert (answer.status_code, answer.content) == (206, whole[start:])
        assert answer.headers["content-range"] == f"bytes {start}-{len(whole) - 1}/{len(whole)}"
    for range_ in ("bytes=-5", "bytes=1-2", f"bytes={len(whole)}-", "lines=1-"):
        answer = exporting.team.owner.get(path, headers={"range": range_})
        assert (answer.status_code, answer.content) == (200, whole)
    head = exporting.team.owner.ask("HEAD", path)
    assert (head.headers["content-length"], head.headers["content-type"]) == (str(len(whole)), "application/x-tar")
    assert head.headers["content-disposition"] == f'attachment; filename="daybook-{view["id"]}.tar"'


def test_what_is_not_complete_cannot_be_downloaded(exporting: Exporting) -> None:
    view = exporting.begun()
    exporting.step()
    refused(exporting.team.owner.get(f"/audit/exports/{view['id']}/bundle"), 409)
    assert ok(exporting.team.owner.post(f"/jobs/{view['id']}/cancel"))["data"]["status"] == "cancelled"
    assert exporting.shown(view)["status"] == "cancelled"
    refused(exporting.team.owner.get(f"/audit/exports/{view['id']}/bundle"), 409)


def test_a_bundle_is_kept_for_some_days(exporting: Exporting, owner: Db) -> None:
    view = exporting.made()
    kept = datetime.fromisoformat(view["expiresAt"]) - datetime.fromisoformat(view["createdAt"])
    assert abs(kept - timedelta(days=7)) < timedelta(minutes=1)
    owner.execute(
        "UPDATE audit_export_pieces SET expires_at = now() WHERE workspace_id = %s", (exporting.team.workspace_id,)
    )
    assert exporting.shown(view)["size"] == 0
    refused(exporting.team.owner.get(f"/audit/exports/{view['id']}/bundle"), 404)


def test_they_are_listed_newest_first_in_pages(exporting: Exporting) -> None:
    made = [exporting.begun()["id"] for _ in range(3)]
    owner = exporting.team.owner
    assert [view["id"] for view in owner.listed("/audit/exports")] == made[::-1]
    first = ok(owner.get("/audit/exports", params={"limit": 2}))
    assert first["meta"]["total"] == 3
    second = ok(owner.get("/audit/exports", params={"limit": 2, "cursor": first["meta"]["nextCursor"]}))
    assert [view["id"] for view in [*first["data"], *second["data"]]] == made[::-1]


def test_they_are_for_admins_only(exporting: Exporting, others: Team) -> None:
    view = exporting.made()
    team = exporting.team
    for somebody in (team.member, team.limited, team.viewer, team.key("log:read")):
        refused(somebody.post("/audit/exports", {}), 403)
        for path in ("/audit/exports", f"/audit/exports/{view['id']}", f"/audit/exports/{view['id']}/bundle"):
            refused(somebody.get(path), 403)
    for somebody in (team.admin, team.key("log:write")):
        assert somebody.get(f"/audit/exports/{view['id']}/bundle").status_code == 200
    refused(others.owner.get(f"/audit/exports/{view['id']}"), 404)
    refused(others.owner.get(f"/audit/exports/{view['id']}/bundle"), 404)


def test_who_downloads_one_is_noted(exporting: Exporting, services: Services) -> None:
    view, owner = exporting.made(), exporting.team.owner
    with serving(services) as url:  # which writes its notes at the latest when it ends
        path = f"{url}/api/v1/audit/exports/{view['id']}/bundle"
        assert owner.http.get(path, headers={"authorization": f"Bearer {owner.token}"}).status_code == 200
    (entry,) = owner.listed("/access-log", operation="downloadAuditExport")
    assert (entry["userId"], entry["subjectId"]) == (str(owner.account_id), view["id"])


def test_so_many_are_made_within_a_day(exporting: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_export, "MOST_A_DAY", 2)
    for _ in range(2):
        exporting.begun()
    refused(exporting.team.owner.post("/audit/exports", {}), 409)


def test_repeated_under_a_key_it_is_one(exporting: Exporting) -> None:
    owner = exporting.team.owner
    one, two = (ok(owner.post("/audit/exports", {}, headers={"idempotency-key": "k"}), 202) for _ in range(2))
    assert one == two
    assert len(owner.listed("/audit/exports")) == 1


def test_a_bundle_and_the_service_come_to_the_same(exporting: Exporting) -> None:
    owner = exporting.team.owner
    bundle = exporting.bundle(exporting.made())
    for seq in (0, 3, 5, 8):
        with replayed(io.BytesIO(bundle), str(seq)) as found:
            assert found.states is not None
            found.states.fold()
        live = ok(owner.get("/log/state", params={"asOf": seq}))["data"]
        assert (live["seq"], live["hash"], live["counts"]) == (
            seq, found.states.hash.hex(), dict(found.states.counts),
        )  # fmt: skip
