"""What holds for the whole API, in the words that its documentation begins with."""

from __future__ import annotations

from typing import Final

from api.http.errors import ERRORS
from api.http.limits import LIMITS
from domain.api_key import RESOURCES
from schemas.wire.error import STATUS
from schemas.wire.page import DEFAULT_LIMIT, MAX_LIMIT

_LIMITS: Final = "\n".join(
    f"- {plan}: {limit.minute} a minute, {limit.second} a second" for plan, limit in LIMITS.items()
)
_ERRORS: Final = "\n".join(f"- `{code}` ({STATUS[code]}): {meaning}" for code, meaning in ERRORS.items())
_SCOPES: Final = ", ".join(f"`{resource}`" for resource in RESOURCES)

GUIDE: Final[dict[str, str]] = {
    "Authentication": (
        "Every request takes `Authorization: Bearer` with an API key (`dbk_…`) or a session token (`dbs_…`), unless it is"
        " marked as public. A key may be limited by scopes: `read` or `write` of "
        f"{_SCOPES}, such as `contacts:read`; `write` includes `read`, and `*` is all. What the user behind the key may"
        " not do, the key may not either."
        "\n\n"
        "A caller who is a member of several workspaces chooses one with `X-Workspace-Id`. What is in another workspace"
        " is answered like what does not exist: 404."
    ),
    "Answers": (
        'One thing comes as `{"data": …}`, many as `{"data": […], "meta": …}`. Names are camelCase, times RFC 3339 in UTC,'
        " ids UUIDs. A time that you send may have any offset, and no seconds, such as `2026-03-15T10:30+01:00`; a date alone is"
        " its first moment in UTC. Without a zone a time is refused (422), as nobody knows when it is. Creating answers 201, deleting 204, and what goes on in the background 202."
    ),
    "Lists": (
        f"`page` and `limit` ({DEFAULT_LIMIT} unless asked, at most {MAX_LIMIT}) go through a list by pages. To read"
        " a long list to its end, send `meta.nextCursor` of each answer as `cursor` of the next request until it is null:"
        " nothing is left out or told twice while others write. An unknown query parameter is refused."
    ),
    "Changes": (
        "`PATCH` changes the fields that are given and no others; `null` takes a value away. `ETag` is the version of a"
        " thing: sent back as `If-Match`, the change is only made if nobody has changed it since (412)."
        "\n\n"
        "A command with an `Idempotency-Key` can be repeated without harm: it is done once, and answered as the first"
        " time. `Daybook-Seq` says where the workspace's log ended after it."
    ),
    "Errors": (
        'An error is `{"error": {"code", "message", "requestId"}}`, with `details` that name the fields at fault, and'
        f" `existingId` where something stands in the way. The codes are stable:\n\n{_ERRORS}"
    ),
    "Rate limits": (
        f"Requests are counted for each workspace, by its plan:\n\n{_LIMITS}\n\n"
        "`RateLimit` says how many are left; a request too many is answered 429 with `Retry-After`."
    ),
}
"""Title → Markdown: paragraphs, lists and code."""

TAGS: Final[dict[str, str]] = {
    "Authentication": "Accounts and their sessions.",
    "Workspace": "The tenant that a key or session acts in.",
    "Users": "Who may enter the workspace, and what they may do in it.",
    "API keys": "Keys for programs; each is shown once.",
    "Contacts": "The people and organizations that the workspace knows, their tags, and importing many.",
    "Privacy": "Contacts that have to be kept, and contacts that have to be erased.",
    "Companies": "The organizations that contacts belong to.",
    "Pipelines": "The ways that deals take, stage by stage, and what is in them.",
    "Deals": "What may be earned, until it is won or lost.",
    "Tasks": "What is to be done, by whom and by when.",
    "Notes": "What is written down about a contact or a deal.",
    "Calls": "Phone calls with contacts, as they are logged.",
    "Interactions": "What went on between a contact and the workspace: mails, meetings, forms and more.",
    "Segments": "Contacts of which a filter holds, whenever they are asked for.",
    "Tags": "What contacts can be sorted by.",
    "Custom fields": "What contacts, companies and deals have besides, as the workspace defines it.",
    "Custom values": "Texts of the workspace's own, which messages name by a token.",
    "Custom objects": "Kinds of thing of the workspace's own, their attributes, and records of them.",
    "Activities": "Who changed what, from what to what.",
    "History": "The past of one thing: what was changed, when, by whom and why.",
    "Timelines": "Everything that touches a thing, newest first.",
    "Dashboard": "What it all comes to, now, in a period, and day by day.",
    "Log": "Every event, in order, chained by hashes: for auditors, and as a feed to follow.",
    "Webhooks": "Endpoints that are told of events, what was sent to them, and sending it again.",
    "Bulk": "One action on many contacts or deals, done by a job.",
    "Jobs": "Work that goes on in the background.",
}
"""Tag → what its operations are about, in the order of the documentation."""


def markdown() -> str:
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in GUIDE.items())
