"""Rules of users."""

from __future__ import annotations

from domain.user import (
    USER,
    LogIn,
    LogOut,
    RegisterUser,
    UpdateUser,
    User,
    UserChanges,
    UserLoggedIn,
    UserLoggedOut,
    UserRegistered,
    UserUpdated,
)
from tests.language import given

registered = UserRegistered(name="Ada Lovelace", email="ada@analytical.engine.org")


def test_a_user_registers_with_name_and_email() -> None:
    state = given(USER).when(RegisterUser(name=" Ada Lovelace", email="Ada@Analytical.Engine.org")).then(registered)
    assert state == User(name="Ada Lovelace", email="ada@analytical.engine.org")


def test_name_and_email_are_needed() -> None:
    given(USER).when(RegisterUser(name="", email="nobody")).refused("validation_failed", fields=["name", "email"])


def test_a_user_registers_once() -> None:
    given(USER, registered).when(RegisterUser(name="Ada", email="ada@analytical.engine.org")).refused("conflict")


def test_coming_and_going_is_remembered_and_changes_nothing() -> None:
    before = given(USER, registered).state
    assert given(USER, registered).when(LogIn()).then(UserLoggedIn()) == before
    assert given(USER, registered, UserLoggedIn()).when(LogOut()).then(UserLoggedOut()) == before


def test_a_stranger_does_not_log_in() -> None:
    given(USER).when(LogIn()).refused("not_found")
    given(USER).when(LogOut()).refused("not_found")


def test_how_a_workspace_knows_a_user_changes() -> None:
    state = (
        given(USER, registered)
        .when(UpdateUser(name=" Ada ", image="https://images.example.com/ada.png"))
        .then(
            UserUpdated(
                changed=UserChanges(name="Ada", image="https://images.example.com/ada.png"),
                previous=UserChanges(name=registered.name, image=None),
            )
        )
    )
    assert state == User(name="Ada", email=registered.email, image="https://images.example.com/ada.png")
    given(USER, registered).when(UpdateUser(name=registered.name)).nothing()
    given(USER, registered).when(UpdateUser(name=" ")).refused("validation_failed", field="name")
    given(USER).when(UpdateUser(name="Ada")).refused("not_found")
