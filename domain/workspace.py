"""A workspace: one tenant, the boundary of data, order, limits and plan."""

from __future__ import annotations

from typing import Annotated, Literal, assert_never
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Decider, Event, Refused, State, Value, not_found
from domain.kernel.changes import applied, difference, named
from domain.kernel.fields import kept
from domain.kernel.types import Name, PhoneRegion

Plan = Literal["free", "starter", "standard", "premium", "enterprise"]

WorkspaceName = Annotated[Name, Meta(description="Its name.")]
PlanOfLimits = Annotated[Plan, Meta(description="What its rate limits are by.")]
OwnerId = Annotated[UUID, Meta(description="The user who made it.")]
Region = Annotated[
    PhoneRegion, Meta(description="The country (ISO 3166-1) of phone numbers that are written without one.")
]


class Workspace(State):
    """A tenant: the boundary of data, members and limits."""

    name: WorkspaceName
    plan: PlanOfLimits = "free"
    phone_region: Region = "US"
    owner_id: OwnerId | None = None


class WorkspaceChanges(Value):
    """The fields of a workspace that can change."""

    name: WorkspaceName | UnsetType = UNSET
    phone_region: Region | UnsetType = UNSET


class CreateWorkspace(Command):
    workspace_name: WorkspaceName
    owner_id: OwnerId
    plan: PlanOfLimits = "free"


class UpdateWorkspace(WorkspaceChanges, Command):
    """What to change."""


class WorkspaceCreated(Event, name="workspace.created", action="created"):
    """The workspace was made."""

    name: WorkspaceName
    plan: PlanOfLimits
    owner_id: OwnerId


class WorkspaceUpdated(Event, name="workspace.updated", action="updated"):
    """The workspace's settings changed."""

    changed: WorkspaceChanges
    previous: WorkspaceChanges


WorkspaceCommand = CreateWorkspace | UpdateWorkspace
WorkspaceEvent = WorkspaceCreated | WorkspaceUpdated


def decide(command: WorkspaceCommand, workspace: Workspace | None) -> list[WorkspaceEvent]:
    match command, workspace:
        case CreateWorkspace(plan=plan, owner_id=owner_id), None:
            return [WorkspaceCreated(name=kept(command)["workspace_name"], plan=plan, owner_id=owner_id)]
        case CreateWorkspace(), _:
            raise Refused("conflict", "This workspace exists already.")
        case _, None:
            raise not_found("workspace")
        case UpdateWorkspace(), Workspace():
            changed, previous = difference(kept(command), workspace)
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
