"""The table of rights: what each role may do with each resource."""

from __future__ import annotations

from typing import Final, Literal

from domain.membership import Role

Right = Literal["none", "read", "write"]
"""To write is to read too."""

Standing = Literal["owner", "admin", "member", "limited", "viewer"]
"""A role; members ``limited`` to what is assigned to them stand apart from other members."""

# fmt: off
_STANDINGS: Final[tuple[Standing, ...]] = (
                      "owner", "admin", "member", "limited", "viewer")

_TABLE: Final[dict[str, tuple[Right, ...]]] = {
    "contacts":      ("write", "write", "write",  "write",   "read"),
    "privacy":       ("write", "write", "none",   "none",    "none"),
    "companies":     ("write", "write", "write",  "write",   "read"),
    "pipelines":     ("write", "write", "write",  "read",    "read"),
    "deals":         ("write", "write", "write",  "write",   "read"),
    "tasks":         ("write", "write", "write",  "write",   "read"),
    "notes":         ("write", "write", "write",  "write",   "read"),
    "calls":         ("write", "write", "write",  "write",   "read"),
    "interactions":  ("write", "write", "write",  "write",   "read"),
    "segments":      ("write", "write", "read",   "read",    "read"),
    "tags":          ("write", "write", "write",  "write",   "read"),
    "custom-fields": ("write", "write", "read",   "read",    "read"),
    "custom-values": ("write", "write", "write",  "read",    "read"),
    "objects":       ("write", "write", "read",   "read",    "read"),
    "object-records":("write", "write", "write",  "write",   "read"),
    "jobs":          ("write", "write", "write",  "write",   "read"),
    "activities":    ("write", "write", "read",   "read",    "read"),
    "dashboard":     ("read",  "read",  "read",   "read",    "read"),
    "access-log":    ("read",  "read",  "none",   "none",    "none"),
    "log":           ("write", "write", "read",   "read",    "none"),
    "webhooks":      ("write", "write", "read",   "none",    "none"),
    "workspace":     ("write", "write", "read",   "read",    "read"),
    "users":         ("write", "write", "read",   "read",    "read"),
    "outbox":        ("write", "write", "none",   "none",    "none"),
    "api-keys":      ("write", "write", "none",   "none",    "none"),
}
# fmt: on

RIGHTS: Final[dict[str, dict[Standing, Right]]] = {
    resource: dict(zip(_STANDINGS, rights, strict=True)) for resource, rights in _TABLE.items()
}
"""By resource, as scopes name it."""

_APART: Final = {"webhook": "webhooks"}
"""Kinds of stream of which the audit trail tells only those who may read the resource: where events are sent may be as
good as a password."""

_ALLOWED: Final = frozenset(
    f"{standing} {resource}:{action}"
    for resource, rights in RIGHTS.items()
    for standing, right in rights.items()
    for action in ("read", "write")
    if right in ("write", action)
)


def standing(role: Role, *, assigned_only: bool) -> Standing:
    return "limited" if role == "member" and assigned_only else role


def allows(who: Standing, scope: str) -> bool:
    """Whether the table has ``resource:read`` or ``resource:write`` for that standing; what it does not know, nobody may."""
    return f"{who} {scope}" in _ALLOWED


def untold(who: Standing) -> frozenset[str]:
    """The kinds of stream of which the audit trail does not tell that standing."""
    return frozenset(kind for kind, resource in _APART.items() if not allows(who, f"{resource}:read"))
