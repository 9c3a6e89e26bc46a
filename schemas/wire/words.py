"""What nearly everything on the wire has, described once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

Id = Annotated[UUID, Meta(description="Its id.")]
CreatedAt = Annotated[datetime, Meta(description="When it was made.")]
UpdatedAt = Annotated[datetime, Meta(description="When it last changed.")]
Version = Annotated[int, Meta(description="How often it has changed, from 1; also its `ETag`.")]
WorkspaceId = Annotated[UUID, Meta(description="The workspace.")]
