"""Mails go out by SMTP as the protocol has it, and what goes wrong is told in a sentence."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from eventstore.ids import new_id
from gateways.mail import Letter, MailServer, Posted, Security, post
from tests.mail import SENDER, mail_server

LETTER = Letter(
    new_id(), "mära@example.com", "Olga “O.” Owner invites you", "Grüße,\n\nhttps://crm.example.com/#dbi_x\n"
)

HANGING_UP = 0.1
"""Seconds in which both sides of a TLS connection have said goodbye, for a loop that ends behind it."""


def sent(server: MailServer, letter: Letter = LETTER, seconds: float = 10.0) -> Posted:
    async def main() -> Posted:
        posted = await post(server, letter, timeout=seconds)
        await asyncio.sleep(HANGING_UP)
        return posted

    return asyncio.run(main())


@pytest.fixture
def letter() -> Letter:
    """To an address that every server takes."""
    return replace(LETTER, recipient="mara@example.com")


def test_a_mail_arrives_as_it_was_written(tmp_path: Path, letter: Letter) -> None:
    with mail_server(tmp_path) as box:
        for _ in range(2):
            assert sent(box.server, letter) == Posted()
    mail = box.mails[0]
    assert (mail["To"], mail["Subject"]) == ("mara@example.com", letter.subject)
    assert mail["From"].addresses == (SENDER,)
    assert mail.get_content().replace("\r\n", "\n") == letter.text
    assert mail["Auto-Submitted"] == "auto-generated"
    assert {found["Message-ID"] for found in box.mails} == {f"<{letter.id}@acme.example.com>"}
    assert box.recipients == ["mara@example.com"] * 2


# aiosmtpd does not know that it speaks TLS where it does from the first byte
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_over_tls_with_a_password(
    tmp_path: Path, letter: Letter, security: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(tmp_path, security, with_password=True) as box:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        assert sent(box.server, letter) == Posted()
        assert len(box.mails) == 1
        wrong = sent(replace(box.server, password="wrong"), letter)
        assert wrong.error is not None
        assert "535" in wrong.error
        assert not wrong.for_good
        assert sent(replace(box.server, username=None, password=None), letter).error is not None
    assert len(box.mails) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_no_server_is_trusted_whose_certificate_is_not(tmp_path: Path, letter: Letter, security: Security) -> None:
    with mail_server(tmp_path, security) as box:
        posted = sent(box.server, letter)
    assert posted.error is not None
    assert not posted.for_good
    assert not box.mails


def test_nothing_goes_out_in_the_clear_where_tls_was_asked_for(tmp_path: Path, letter: Letter) -> None:
    with mail_server(tmp_path) as box:
        assert sent(replace(box.server, security="starttls"), letter).error is not None
    assert not box.mails


def test_who_is_refused_for_good_is_told_from_who_may_be_taken_later(tmp_path: Path, letter: Letter) -> None:
    with mail_server(tmp_path) as box:
        for answer, for_good in (("550 5.1.1 no such user", True), ("450 4.2.1 mailbox busy", False)):
            box.to_recipients = [answer]
            posted = sent(box.server, letter)
            assert posted == Posted(f"The mail server answered {answer[:3]}: {answer[4:]}", for_good)
        for answer, for_good in (("554 5.7.1 spam", True), ("451 4.3.0 try later", False)):
            box.answers = [answer]
            assert sent(box.server, letter) == Posted(f"The mail server answered {answer[:3]}: {answer[4:]}", for_good)
    assert not box.mails


def test_a_server_that_says_nothing_is_given_up_in_time(letter: Letter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = MailServer("127.0.0.1", silent.getsockname()[1], "none", SENDER)
        began = time.monotonic()
        assert sent(server, letter, 0.5) == Posted("The mail server did not take it within 0.5 s.")
        assert time.monotonic() - began < 3


def test_one_that_is_not_there_is_told_so(letter: Letter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert sent(MailServer("127.0.0.1", port, "none", SENDER), letter) == Posted("The mail server cannot be reached.")


def test_an_address_beyond_ascii_takes_a_server_that_takes_it(tmp_path: Path) -> None:
    """aiosmtpd offers SMTPUTF8."""
    with mail_server(tmp_path) as box:
        assert sent(box.server) == Posted()
    assert box.recipients == ["mära@example.com"]


def test_neither_the_password_nor_what_a_mail_says_is_in_what_is_printed(letter: Letter) -> None:
    server = MailServer("127.0.0.1", 25, "tls", SENDER, "crm", "hunter2")
    assert "hunter2" not in repr(server)
    assert "dbi_x" not in repr(letter)
