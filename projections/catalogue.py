"""Every table of rows, by kind of stream, and every view."""

from __future__ import annotations

from typing import Any, Final

from projections.api_key import API_KEYS
from projections.call import CALLS
from projections.company import COMPANIES
from projections.company_import import COMPANY_IMPORTS
from projections.contact import CONTACTS
from projections.contact_duplicate import CONTACT_DUPLICATES
from projections.contact_import import CONTACT_IMPORTS
from projections.contact_merge import CONTACT_MERGES
from projections.custom_field import CUSTOM_FIELDS
from projections.custom_value import CUSTOM_VALUES
from projections.dashboard import DASHBOARD
from projections.deal import DEALS
from projections.deal_import import DEAL_IMPORTS
from projections.interaction import INTERACTIONS
from projections.invitation import INVITATIONS
from projections.membership import MEMBERSHIPS
from projections.note import NOTES
from projections.object_attribute import OBJECT_ATTRIBUTES
from projections.object_record import OBJECT_RECORDS
from projections.object_type import OBJECT_TYPES
from projections.pipeline import PIPELINES
from projections.segment import SEGMENTS
from projections.smart_list import SMART_LISTS
from projections.stage import STAGES
from projections.table.rows import RowTable
from projections.tag_row import TAGS
from projections.task import TASKS
from projections.timeline import TIMELINE
from projections.user import USERS
from projections.view.past import past
from projections.view.view import View
from projections.webhook import WEBHOOKS
from projections.workspace import WORKSPACES

# Records before attributes: those of a type that ends go before they would be rid of its values one by one.
TABLES: Final[tuple[RowTable[Any], ...]] = (
    API_KEYS, CALLS, COMPANIES, COMPANY_IMPORTS, CONTACTS, CONTACT_DUPLICATES, CONTACT_IMPORTS, CONTACT_MERGES,
    CUSTOM_FIELDS, CUSTOM_VALUES, DEALS, DEAL_IMPORTS, INTERACTIONS, INVITATIONS, MEMBERSHIPS, NOTES, OBJECT_RECORDS,
    OBJECT_ATTRIBUTES, OBJECT_TYPES, PIPELINES, SEGMENTS,
    SMART_LISTS, STAGES, TAGS, TASKS, USERS, WEBHOOKS, WORKSPACES,
)  # fmt: skip

ROWS: Final[dict[str, RowTable[Any]]] = {table.decider.stream_type: table for table in TABLES}

PAST: Final = past(TABLES, listed=(COMPANIES, CONTACTS, DEALS, TASKS))

VIEWS: Final[tuple[View, ...]] = (TIMELINE, DASHBOARD, PAST)

REBUILT: Final = tuple(table.table for table in TABLES)
"""Every table of rows: each may be built anew while the service goes on."""
