"""Mails of the outbox are sent by a worker, tried again, and given up; what they say is not kept longer than needed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from application.calling.secretbox import SecretBox
from application.outbox import sealing_context
from eventstore.database import writing
from eventstore.ids import new_id
from gateways.mail import MailServer
from projections import outbox as rows
from projections.outbox import NewMail
from schemas.outbox import MailStatus
from tests.mail import mail_server
from tests.workers.running import Installation, eventually, running
from workers import outbox
from workers.outbox import Sending
from workers.running import housekeeping

QUICK = Sending(schedule=(0.05, 0.05), timeout=5.0, lease=10.0, poll=0.05)
TEXT = "Follow https://crm.example.com/#dbi_secret\n"


def put(installation: Installation, *, status: MailStatus = "pending", key: bytes = bytes(32)) -> tuple[UUID, UUID]:
    """A mail of a new workspace: whose, and which."""
    workspace_id, mail_id = installation.workspace(), new_id()
    sealed = SecretBox(key).seal(TEXT.encode(), sealing_context(workspace_id, mail_id))
    with writing(installation.store.pool, workspace_id) as conn:
        rows.add(conn, NewMail(mail_id, mail_id, False, "mara@example.com", "You are invited", sealed, status))
    return workspace_id, mail_id


def state(installation: Installation, mail_id: UUID) -> tuple[Any, ...]:
    """Status, attempts, error, and whether what it says is still there."""
    query = "SELECT status, attempts, error, sealed IS NOT NULL FROM outbox WHERE id = %s"
    row = installation.owner.execute(query, (mail_id,)).fetchone()
    assert row is not None
    return row


def sending(installation: Installation, server: MailServer | None, settings: Sending = QUICK) -> Any:
    return running(replace(installation.config, mail_server=server), partial(outbox.run, settings=settings))


def stands(installation: Installation, mail_id: UUID, status: str) -> bool:
    return bool(state(installation, mail_id)[0] == status)


def test_a_mail_is_sent_once_and_what_it_says_is_kept_no_longer(installation: Installation, tmp_path: Path) -> None:
    found = [put(installation)[1] for _ in range(3)]
    with mail_server(tmp_path) as box, sending(installation, box.server), sending(installation, box.server):
        for mail_id in found:
            eventually(partial(stands, installation, mail_id, "sent"))
        assert [state(installation, mail_id) for mail_id in found] == [("sent", 1, None, False)] * 3
    assert sorted(mail["Message-ID"][1:37] for mail in box.mails) == sorted(map(str, found))
    assert {mail.get_content().replace("\r\n", "\n") for mail in box.mails} == {TEXT}


def test_one_that_was_not_taken_is_tried_again(installation: Installation, tmp_path: Path) -> None:
    _, mail_id = put(installation)
    with mail_server(tmp_path) as box:
        box.answers = ["451 4.3.0 try later"]
        with sending(installation, box.server):
            eventually(partial(stands, installation, mail_id, "sent"))
    assert state(installation, mail_id) == ("sent", 2, None, False)
    assert len(box.mails) == 1


def test_one_that_is_never_taken_is_given_up(installation: Installation, tmp_path: Path) -> None:
    _, mail_id = put(installation)
    with mail_server(tmp_path) as box:
        box.answers = ["451 4.3.0 try later"] * 9
        with sending(installation, box.server):
            eventually(partial(stands, installation, mail_id, "failed"))
    assert state(installation, mail_id)[1:3] == (3, "The mail server answered 451: 4.3.0 try later")


def test_an_address_that_is_none_is_tried_once(installation: Installation, tmp_path: Path) -> None:
    _, mail_id = put(installation)
    with mail_server(tmp_path) as box:
        box.to_recipients = ["550 5.1.1 no such user"]
        with sending(installation, box.server):
            eventually(partial(stands, installation, mail_id, "failed"))
    assert state(installation, mail_id)[1:3] == (1, "The mail server answered 550: 5.1.1 no such user")


def test_one_whose_worker_died_is_sent_by_the_next(installation: Installation, tmp_path: Path) -> None:
    _, mail_id = put(installation)
    claim = "UPDATE outbox SET lease = %s, attempts = 1, due_at = now() + interval '0.3 s' WHERE id = %s"
    installation.owner.execute(claim, (new_id(), mail_id))
    with mail_server(tmp_path) as box, sending(installation, box.server):
        eventually(partial(stands, installation, mail_id, "sent"))
    assert state(installation, mail_id)[1] == 2


@pytest.mark.parametrize("status", ["kept", "withdrawn"])
def test_what_is_not_to_be_sent_is_not(installation: Installation, tmp_path: Path, status: MailStatus) -> None:
    _, mail_id = put(installation, status=status)
    _, behind = put(installation)
    with mail_server(tmp_path) as box, sending(installation, box.server):
        eventually(partial(stands, installation, behind, "sent"))
    assert state(installation, mail_id)[:2] == (status, 0)


def test_one_that_is_withdrawn_while_it_waits_is_not_sent(installation: Installation, tmp_path: Path) -> None:
    workspace_id, mail_id = put(installation)
    with writing(installation.store.pool, workspace_id) as conn:
        rows.withdraw(conn, mail_id)
    _, behind = put(installation)
    with mail_server(tmp_path) as box, sending(installation, box.server):
        eventually(partial(stands, installation, behind, "sent"))
    assert len(box.mails) == 1
    assert state(installation, mail_id) == ("withdrawn", 0, None, False)


def test_one_that_cannot_be_opened_is_given_up(installation: Installation, tmp_path: Path) -> None:
    _, mail_id = put(installation, key=b"o" * 32)
    with mail_server(tmp_path) as box, sending(installation, box.server):
        eventually(partial(stands, installation, mail_id, "failed"))
    assert not box.mails


def test_without_a_mail_server_nothing_is_tried_and_it_ends_when_asked_to(installation: Installation) -> None:
    _, mail_id = put(installation)
    with sending(installation, None):
        pass
    assert state(installation, mail_id) == ("pending", 0, None, True)
    installation.owner.execute("DELETE FROM outbox")


def test_after_30_days_a_mail_is_gone(installation: Installation) -> None:
    found = {age: put(installation, status="kept")[1] for age in ("29 days", "31 days")}
    for age, mail_id in found.items():
        made = "UPDATE outbox SET created_at = now() - %s::interval WHERE id = %s"
        installation.owner.execute(made, (age, mail_id))
    with running(installation.config, partial(housekeeping.run, every=60)):
        gone = "SELECT count(*) FROM outbox WHERE id = %s"
        eventually(lambda: installation.owner.execute(gone, (found["31 days"],)).fetchone() == (0,))
    assert state(installation, found["29 days"])[0] == "kept"
