"""A workspace: one tenant, the boundary of data, order, limits and plan."""

from __future__ import annotations

import re
from typing import Literal, assert_never
from uuid import UUID

import phonenumbers
from msgspec import UNSET, UnsetType

from domain.kernel import Command, Decider, Event, Refused, State, Value, not_found, values
from domain.kernel.changes import applied, difference, named
from domain.kernel.check import Check

Plan = Literal["free", "starter", "standard", "premium", "enterprise"]


class Workspace(State):
    name: str
    plan: Plan = "free"
    phone_region: str = "US"
    """ISO 3166-1 country that a phone number without a country code is taken to be of."""
    owner_id: UUID | None = None


class CreateWorkspace(Command):
    name: str
    owner_id: UUID
    plan: Plan = "free"


class UpdateWorkspace(Command):
    name: str | UnsetType = UNSET
    phone_region: str | UnsetType = UNSET


class WorkspaceChanges(Value):
    name: str | UnsetType = UNSET
    phone_region: str | UnsetType = UNSET


class WorkspaceCreated(Event, name="workspace.created", action="created"):
    name: str
    plan: Plan
    owner_id: UUID


class WorkspaceUpdated(Event, name="workspace.updated", action="updated"):
    changed: WorkspaceChanges
    previous: WorkspaceChanges


WorkspaceCommand = CreateWorkspace | UpdateWorkspace
WorkspaceEvent = WorkspaceCreated | WorkspaceUpdated


def region(value: str) -> str:
    kept = value.strip().upper()
    if not re.fullmatch(r"[A-Z]{2}", kept) or kept not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("must be a two-letter country code, such as US or DE")
    return kept


def decide(command: WorkspaceCommand, workspace: Workspace | None) -> list[WorkspaceEvent]:
    check = Check()
    match command, workspace:
        case CreateWorkspace(), None:
            name = check.field("workspaceName", values.text, command.name)
            check.done()
            return [WorkspaceCreated(name=name or "", plan=command.plan, owner_id=command.owner_id)]
        case CreateWorkspace(), _:
            raise Refused("conflict", "This workspace exists already.")
        case _, None:
            raise not_found("workspace")
        case UpdateWorkspace(), Workspace():
            wanted = {
                "name": check.given("name", values.text, command.name),
                "phone_region": check.given("phoneRegion", region, command.phone_region),
            }
            check.done()
            given = {name: value for name, value in wanted.items() if value is not UNSET}
            changed, previous = difference(given, workspace)
            if not changed:
                return []
            return [WorkspaceUpdated(changed=WorkspaceChanges(**changed), previous=WorkspaceChanges(**previous))]
        case never, _:
            assert_never(never)


def evolve(workspace: Workspace | None, event: WorkspaceEvent) -> Workspace | None:
    match event, workspace:
        case WorkspaceCreated(), _:
            return Workspace(**named(event))
        case WorkspaceUpdated(changed=changed), Workspace():
            return applied(workspace, changed)
        case WorkspaceUpdated(), None:
            return None
        case never, _:
            assert_never(never)


WORKSPACE: Decider[WorkspaceCommand, WorkspaceEvent, Workspace] = Decider(
    stream_type="workspace",
    state=Workspace,
    commands=(CreateWorkspace, UpdateWorkspace),
    events=(WorkspaceCreated, WorkspaceUpdated),
    decide=decide,
    evolve=evolve,
)
