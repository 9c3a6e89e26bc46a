"""Legal holds on the wire."""

from __future__ import annotations

from domain.contact_legal_hold import Reason
from domain.kernel import Value


class NewLegalHold(Value, forbid_unknown_fields=True):
    """Why a contact has to be kept."""

    reason: Reason
