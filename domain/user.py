"""A user as one workspace knows them: who they are, and when they come and go.

The account itself (e-mail, password hash) is no event: it lives in an ordinary table.
"""

from __future__ import annotations

from typing import Annotated, assert_never

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Decider, Event, Refused, State, Value, not_found
from domain.kernel.changes import applied, difference
from domain.kernel.fields import kept
from domain.kernel.types import Name, RequiredEmail, Url

FullName = Annotated[Name, Meta(description="Its name.")]
EmailAddress = Annotated[RequiredEmail, Meta(description="An e-mail address; kept in lower case.")]
Image = Annotated[Url, Meta(description="The address of a picture of them.")]


class UserDetails(Value):
    name: FullName
    email: EmailAddress


class UserChanges(Value):
    """What can change of how a workspace knows a user."""

    name: FullName | UnsetType = UNSET
    image: Image | UnsetType | None = UNSET


class User(UserDetails, State):
    """Somebody who may act in the workspace, or might once."""

    image: Image | None = None


class RegisterUser(UserDetails, Command):
    """The account is there already; the workspace gets to know it."""


class UpdateUser(UserChanges, Command):
    """What to change."""


class LogIn(Command):
    """The password was right; the application has checked it."""


class LogOut(Command):
    """The session ends."""


class UserRegistered(UserDetails, Event, name="user.registered", action="created"):
    """A user was made known to the workspace."""


class UserUpdated(Event, name="user.updated", action="updated"):
    """How the workspace knows the user changed."""

    changed: UserChanges
    previous: UserChanges


class UserLoggedIn(Event, name="user.logged_in", action="login"):
    """From where is in the event's metadata."""


class UserLoggedOut(Event, name="user.logged_out", action="updated"):
    """By the user's own wish."""


UserCommand = RegisterUser | UpdateUser | LogIn | LogOut
UserEvent = UserRegistered | UserUpdated | UserLoggedIn | UserLoggedOut


def decide(command: UserCommand, user: User | None) -> list[UserEvent]:
    match command, user:
        case RegisterUser(), None:
            return [UserRegistered(**kept(command))]
        case RegisterUser(), _:
            raise Refused("conflict", "This user is registered already.")
        case _, None:
            raise not_found("user")
        case UpdateUser(), User():
            changed, previous = difference(kept(command), user)
            if not changed:
                return []
            return [UserUpdated(changed=UserChanges(**changed), previous=UserChanges(**previous))]
        case LogIn(), User():
            return [UserLoggedIn()]
        case LogOut(), User():
            return [UserLoggedOut()]
        case never, _:
            assert_never(never)


def evolve(user: User | None, event: UserEvent) -> User | None:
    match event:
        case UserRegistered(name=name, email=email):
            return User(name=name, email=email)
        case UserUpdated(changed=changed):
            return None if user is None else applied(user, changed)
        case UserLoggedIn() | UserLoggedOut():
            return user
        case never:
            assert_never(never)


USER: Decider[UserCommand, UserEvent, User] = Decider(
    stream_type="user",
    state=User,
    commands=(RegisterUser, UpdateUser, LogIn, LogOut),
    events=(UserRegistered, UserUpdated, UserLoggedIn, UserLoggedOut),
    decide=decide,
    evolve=evolve,
)
