"""Every kind of stream and every event there is, by its public name."""

from __future__ import annotations

from typing import Any, Final

from domain.api_key import API_KEY
from domain.call import CALL
from domain.company import COMPANY
from domain.company_import import COMPANY_IMPORT
from domain.contact import CONTACT
from domain.contact_duplicate import CONTACT_DUPLICATE
from domain.contact_import import CONTACT_IMPORT
from domain.contact_merge import CONTACT_MERGE
from domain.custom_field import CUSTOM_FIELD
from domain.custom_value import CUSTOM_VALUE
from domain.deal import DEAL
from domain.deal_import import DEAL_IMPORT
from domain.interaction import INTERACTION
from domain.invitation import INVITATION
from domain.kernel import Decider, Event, Former
from domain.membership import MEMBERSHIP
from domain.note import NOTE
from domain.object_attribute import OBJECT_ATTRIBUTE
from domain.object_record import OBJECT_RECORD
from domain.object_type import OBJECT_TYPE
from domain.pipeline import PIPELINE
from domain.segment import SEGMENT
from domain.smart_list import SMART_LIST
from domain.stage import STAGE
from domain.tag import TAG
from domain.task import TASK
from domain.user import USER
from domain.webhook import WEBHOOK
from domain.workspace import WORKSPACE

DECIDERS: Final[dict[str, Decider[Any, Any, Any]]] = {
    decider.stream_type: decider
    for decider in (
        API_KEY, CALL, COMPANY, COMPANY_IMPORT, CONTACT, CONTACT_DUPLICATE, CONTACT_IMPORT, CONTACT_MERGE, CUSTOM_FIELD,
        CUSTOM_VALUE, DEAL, DEAL_IMPORT, INTERACTION, INVITATION, MEMBERSHIP, NOTE, OBJECT_ATTRIBUTE, OBJECT_RECORD,
        OBJECT_TYPE, PIPELINE, SEGMENT, SMART_LIST, STAGE, TAG, TASK, USER, WEBHOOK, WORKSPACE,
    )
}  # fmt: skip

FORMER: Final[dict[str, Former]] = {
    former.event.event_name: former for decider in DECIDERS.values() for former in decider.former
}
"""Of events that are not written any more: what they are read as."""

EVENTS: Final[dict[str, type[Event]]] = {
    event.event_name: event
    for decider in DECIDERS.values()
    for event in (*decider.events, *(former.event for former in decider.former))
}
"""All that can stand in a log."""
