from __future__ import annotations

import base64
from email.headerregistry import Address
from pathlib import Path

import pytest

from daybook.serve import allows_private_webhooks
from daybook.settings import Settings, SettingsError, load


def test_without_any_setting_it_serves_on_loopback_with_embedded_servers() -> None:
    found = load({})
    assert (found.host, found.port, found.data) == ("127.0.0.1", 8000, Path(".daybook"))
    assert found.database_url is None
    assert found.rate_limits


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DAYBOOK_PORT", "80a", "DAYBOOK_PORT must be a port number"),
        ("DAYBOOK_PORT", "70000", "DAYBOOK_PORT must be a port number"),
        ("DAYBOOK_STREAM_REPLICAS", "6", "DAYBOOK_STREAM_REPLICAS must be a whole number from 1 to 5"),
        ("DAYBOOK_STREAM_MAX_AGE_DAYS", "a week", "DAYBOOK_STREAM_MAX_AGE_DAYS must be a whole number from 1 to 3650"),
        ("DAYBOOK_ALLOW_PRIVATE_WEBHOOKS", "maybe", "DAYBOOK_ALLOW_PRIVATE_WEBHOOKS must be 1 or 0"),
        ("DAYBOOK_THREADS", "0", "DAYBOOK_THREADS must be a whole number from 1 to 500"),
        ("DAYBOOK_QUEUE", "-1", "DAYBOOK_QUEUE must be a whole number from 1 to 100000"),
        ("DAYBOOK_QUEUE_SECONDS", "1.5", "DAYBOOK_QUEUE_SECONDS must be a whole number from 1 to 600"),
        ("DAYBOOK_PATIENCE_SECONDS", "x", "DAYBOOK_PATIENCE_SECONDS must be a whole number from 1 to 3600"),
        ("DAYBOOK_REBUILD_PROCESSES", "65", "DAYBOOK_REBUILD_PROCESSES must be a whole number from 1 to 64"),
        ("DAYBOOK_RATE_LIMITS", "maybe", "DAYBOOK_RATE_LIMITS must be 1 or 0"),
        ("DAYBOOK_LOG_LEVEL", "loud", "DAYBOOK_LOG_LEVEL must be one of"),
        ("DAYBOOK_SECRET_KEY", "c2hvcnQ=", "DAYBOOK_SECRET_KEY must be 32 bytes"),
        ("DAYBOOK_SECRET_KEY", "???", "DAYBOOK_SECRET_KEY must be 32 bytes"),
        ("DAYBOOK_URL", "crm.example.com", "DAYBOOK_URL must be an absolute"),
        ("DAYBOOK_SMTP_URL", "mail.example.com:25", "DAYBOOK_SMTP_URL must be as smtp://"),
        ("DAYBOOK_SMTP_URL", "smtp://:secret@mail.example.com", "DAYBOOK_SMTP_URL must be as smtp://"),
        ("DAYBOOK_SMTP_URL", "smtp://mail.example.com:x", "DAYBOOK_SMTP_URL must be as smtp://"),
        ("DAYBOOK_SMTP_URL", "smtp+plain://user:pw@mail.example.com", "no password goes unsealed"),
        ("DAYBOOK_SMTP_URL", "smtp://mail.example.com", "DAYBOOK_MAIL_FROM must be set with DAYBOOK_SMTP_URL"),
        ("DATABASE_URL", "somewhere", "DATABASE_URL must be as postgresql://"),
        ("DATABASE_URL", "postgresql://h/d?sslmod=on", "DATABASE_URL must be as postgresql://"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load({name: value})


@pytest.mark.parametrize(
    ("host", "given", "allowed"),
    [
        ("127.0.0.1", {}, True),
        ("127.0.0.1", {"DAYBOOK_ALLOW_PRIVATE_WEBHOOKS": "0"}, False),
        ("::1", {"DAYBOOK_ALLOW_PRIVATE_WEBHOOKS": "no"}, False),
        ("0.0.0.0", {}, False),
        ("0.0.0.0", {"DAYBOOK_ALLOW_PRIVATE_WEBHOOKS": "1"}, True),
    ],
)
def test_serve_allows_private_webhooks_on_loopback_unless_it_is_told_otherwise(
    host: str, given: dict[str, str], *, allowed: bool
) -> None:
    assert allows_private_webhooks(load({"DAYBOOK_HOST": host, **given})) is allowed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DAYBOOK_SECRET_KEY", "hunter2"),
        ("DATABASE_URL", "hunter2@host"),
        ("DAYBOOK_SMTP_URL", "smtp://u:hunter2@host:x"),
    ],
)
def test_a_secret_that_cannot_be_used_is_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({name: value})
    assert "hunter2" not in str(refused.value)


def test_secrets_are_not_in_its_representation() -> None:
    key = base64.b64encode(b"k" * 32).decode()
    found = load(
        {"DAYBOOK_SECRET_KEY": key, "DATABASE_URL": "postgresql://u:hunter2@h/d", "DAYBOOK_APP_PASSWORD": "p4ss"}
    )
    shown = repr(found)
    assert found.secret_key == b"k" * 32
    assert "hunter2" not in shown
    assert "p4ss" not in shown
    assert "kkkk" not in shown


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (
            "smtp://crm%40acme.example.com:p%3Fss@mail.example.com",
            ("mail.example.com", 587, "starttls", "crm@acme.example.com", "p?ss"),
        ),
        ("smtps://u:p@[::1]:8465", ("::1", 8465, "tls", "u", "p")),
        ("smtp+plain://localhost", ("localhost", 25, "none", None, None)),
    ],
)
def test_a_mail_server_is_one_address(url: str, server: tuple[object, ...]) -> None:
    found = load({"DAYBOOK_SMTP_URL": url, "DAYBOOK_MAIL_FROM": "Acme Söhne <CRM@acme.example.com>"}).mail_server
    assert found is not None
    assert (found.host, found.port, found.security, found.username, found.password) == server
    assert found.sender == Address("Acme Söhne", "crm", "acme.example.com")


def test_links_lead_to_where_the_api_listens_unless_it_is_reached_elsewhere() -> None:
    assert load({"DAYBOOK_HOST": "::", "DAYBOOK_PORT": "9000"}).address == "http://127.0.0.1:9000"
    assert load({"DAYBOOK_HOST": "fe80::1"}).address == "http://[fe80::1]:8000"
    assert load({"DAYBOOK_URL": "https://crm.example.com/"}).url == "https://crm.example.com"


@pytest.mark.parametrize("need", ["need_database", "need_nats", "need_secret_key"])
def test_what_a_process_cannot_do_without_is_asked_for_by_name(need: str) -> None:
    with pytest.raises(SettingsError, match="must be set"):
        getattr(Settings(), need)()


def test_a_large_log_is_folded_by_a_process_for_each_core_up_to_four(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load({"DAYBOOK_REBUILD_PROCESSES": "7"}).rebuild_processes == 7
    for cores, processes in ((1, 1), (3, 3), (64, 4)):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: set(range(cores)), raising=False)
        assert load({}).rebuild_processes == processes
        with monkeypatch.context() as macos:
            macos.delattr("os.sched_getaffinity")
            macos.setattr("os.cpu_count", lambda cores=cores: cores)
            assert load({}).rebuild_processes == processes
