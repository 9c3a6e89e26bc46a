"""Rules of workspaces."""

from __future__ import annotations

from uuid import UUID

from domain.workspace import (
    WORKSPACE,
    CreateWorkspace,
    UpdateWorkspace,
    Workspace,
    WorkspaceChanges,
    WorkspaceCreated,
    WorkspaceUpdated,
)
from tests.language import given

OWNER = UUID("018f0000-0000-7000-8000-000000000001")
created = WorkspaceCreated(name="Analytical Engines", plan="free", owner_id=OWNER)


def test_a_workspace_begins_on_the_free_plan() -> None:
    state = given(WORKSPACE).when(CreateWorkspace(workspace_name=" Analytical Engines ", owner_id=OWNER)).then(created)
    assert state == Workspace(name="Analytical Engines", plan="free", phone_region="US", owner_id=OWNER)


def test_a_workspace_has_a_name() -> None:
    given(WORKSPACE).when(CreateWorkspace(workspace_name=" ", owner_id=OWNER)).refused(
        "validation_failed", field="workspaceName"
    )


def test_a_workspace_is_renamed() -> None:
    given(WORKSPACE, created).when(UpdateWorkspace(name="Engines")).then(
        WorkspaceUpdated(changed=WorkspaceChanges(name="Engines"), previous=WorkspaceChanges(name="Analytical Engines"))
    )


def test_the_phone_region_is_a_country_code() -> None:
    state = (
        given(WORKSPACE, created)
        .when(UpdateWorkspace(phone_region=" de "))
        .then(
            WorkspaceUpdated(changed=WorkspaceChanges(phone_region="DE"), previous=WorkspaceChanges(phone_region="US"))
        )
    )
    assert state is not None
    assert state.phone_region == "DE"
    for wrong in ("", "DEU", "XX", "D1"):
        given(WORKSPACE, created).when(UpdateWorkspace(phone_region=wrong)).refused(
            "validation_failed", field="phoneRegion", says="such as US or DE"
        )


def test_what_is_so_already_is_no_event() -> None:
    given(WORKSPACE, created).when(UpdateWorkspace(name="Analytical Engines", phone_region="us")).nothing()
    given(WORKSPACE, created).when(UpdateWorkspace()).nothing()


def test_a_workspace_is_created_once_and_changed_only_then() -> None:
    given(WORKSPACE, created).when(CreateWorkspace(workspace_name="A", owner_id=OWNER)).refused("conflict")
    given(WORKSPACE).when(UpdateWorkspace(name="A")).refused("not_found")
