"""Rules of webhook endpoints."""

from __future__ import annotations

import pytest

from domain.webhook import (
    WEBHOOK,
    CreateWebhook,
    DeleteWebhook,
    DisableWebhook,
    RotateWebhookSecret,
    UpdateWebhook,
    Webhook,
    WebhookChanges,
    WebhookCommand,
    WebhookCreated,
    WebhookDeleted,
    WebhookDisabled,
    WebhookSecretRotated,
    WebhookUpdated,
    matches,
)
from tests.language import given

URL = "https://hooks.example.com/daybook"
created = WebhookCreated(url=URL, events=("contact.created",), active=True, description=None)


def test_an_endpoint_gets_the_events_it_names() -> None:
    state = given(WEBHOOK).when(CreateWebhook(url=f" {URL} ", events=("contact.created",))).then(created)
    assert state == Webhook(url=URL, events=("contact.created",), active=True, description=None)


def test_event_patterns_are_kept_once_each_and_sorted() -> None:
    state = given(WEBHOOK).when(CreateWebhook(url=URL, events=("tag.*", "contact.created", "tag.*"))).state
    assert state is not None
    assert state.events == ("contact.created", "tag.*")


@pytest.mark.parametrize(
    "wrong", ["", "contact", "contact.", "*.created", "contact.**", "Contact.created", "contact.created\n"]
)
def test_a_pattern_names_an_event_all_of_a_kind_or_all(wrong: str) -> None:
    given(WEBHOOK).when(CreateWebhook(url=URL, events=("tag.created", wrong))).refused(
        "validation_failed", field="events", says="must be an event name"
    )


def test_an_endpoint_names_1_to_100_patterns() -> None:
    many = tuple(f"contact.{'a' * length}" for length in range(1, 102))
    for events in ((), many):
        given(WEBHOOK).when(CreateWebhook(url=URL, events=events)).refused("validation_failed", field="events")
    assert given(WEBHOOK).when(CreateWebhook(url=URL, events=many[:100])).events


@pytest.mark.parametrize(
    "wrong",
    [
        "", "hooks.example.com", "ftp://hooks.example.com", "https://", "https:///path", "https://a b.example.com",
        "https://user@example.com", "https://user:secret@example.com/", "javascript:alert(1)", "http://hooks.example.com",
        "https://[::1", "https://example.com:99999/",
    ],
)  # fmt: skip
def test_an_endpoint_is_an_absolute_https_url_without_credentials(wrong: str) -> None:
    given(WEBHOOK).when(CreateWebhook(url=wrong, events=("*",))).refused("validation_failed", field="url")
    given(WEBHOOK, created).when(UpdateWebhook(url=wrong)).refused("validation_failed", field="url")


def test_http_is_allowed_where_settings_say_so() -> None:
    assert given(WEBHOOK).when(CreateWebhook(url="http://127.0.0.1:9000/", events=("*",), allow_http=True)).events


def test_a_refused_credential_is_not_repeated() -> None:
    outcome = given(WEBHOOK).when(CreateWebhook(url="https://user:secret@example.com/", events=("*",)))
    refusal = outcome.refused("validation_failed", field="url", says="must not contain a user name or password")
    assert "secret" not in refusal.message + refusal.details[0].message


def test_an_endpoint_moves() -> None:
    given(WEBHOOK, created).when(UpdateWebhook(url="https://new.example.com/")).then(
        WebhookUpdated(changed=WebhookChanges(url="https://new.example.com/"), previous=WebhookChanges(url=URL))
    )


def test_a_description_can_be_taken_away() -> None:
    described = WebhookCreated(url=URL, events=("*",), active=True, description="Sync")
    state = given(WEBHOOK, described).when(UpdateWebhook(description=" ")).state
    assert state is not None
    assert state.description is None


def test_what_is_so_already_is_no_event() -> None:
    given(WEBHOOK, created).when(UpdateWebhook(url=URL, events=("contact.created",), active=True)).nothing()
    given(WEBHOOK, created).when(UpdateWebhook()).nothing()


def test_rotating_the_secret_is_remembered_and_changes_nothing() -> None:
    before = given(WEBHOOK, created).state
    assert given(WEBHOOK, created).when(RotateWebhookSecret()).then(WebhookSecretRotated()) == before


def test_daybook_says_why_it_switched_an_endpoint_off() -> None:
    state = given(WEBHOOK, created).when(DisableWebhook(reason="gone")).then(WebhookDisabled(reason="gone"))
    assert state is not None
    assert (state.active, state.disabled_reason) == (False, "gone")


def test_an_endpoint_that_is_off_is_not_switched_off_again() -> None:
    given(WEBHOOK, created, WebhookDisabled(reason="gone")).when(DisableWebhook(reason="failing")).nothing()
    given(WEBHOOK, created, UpdateWebhook(active=False)).when(DisableWebhook(reason="failing")).nothing()


def test_switching_it_on_again_forgets_why_it_was_off() -> None:
    state = (
        given(WEBHOOK, created, WebhookDisabled(reason="failing"))
        .when(UpdateWebhook(active=True))
        .then(
            WebhookUpdated(
                changed=WebhookChanges(active=True, disabled_reason=None),
                previous=WebhookChanges(active=False, disabled_reason="failing"),
            )
        )
    )
    assert state == Webhook(url=URL, events=("contact.created",), active=True, description=None)


def test_an_endpoint_ends_when_deleted() -> None:
    assert given(WEBHOOK, created).when(DeleteWebhook()).then(WebhookDeleted()) is None


@pytest.mark.parametrize(
    "command", [UpdateWebhook(), RotateWebhookSecret(), DisableWebhook(reason="gone"), DeleteWebhook()]
)
def test_what_does_not_exist_cannot_be_changed(command: WebhookCommand) -> None:
    given(WEBHOOK).when(command).refused("not_found")
    given(WEBHOOK, created, WebhookDeleted()).when(command).refused("not_found")


def test_an_endpoint_is_created_once() -> None:
    given(WEBHOOK, created).when(CreateWebhook(url=URL, events=("*",))).refused("conflict")


@pytest.mark.parametrize(
    ("pattern", "event", "wanted"),
    [
        ("*", "contact.created", True),
        ("contact.created", "contact.created", True),
        ("contact.*", "contact.tag_added", True),
        ("contact.*", "contact_import.started", False),
        ("contact.created", "contact.created_again", False),
        ("contact.updated", "contact.created", False),
    ],
)
def test_a_pattern_matches(pattern: str, event: str, wanted: bool) -> None:
    assert matches(pattern, event) is wanted
