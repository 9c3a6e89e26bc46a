"""Every kind of job, by name."""

from __future__ import annotations

from typing import Final

from application import contact_import, deal_import
from application.working import deletion
from application.working.job import Kinds

KINDS: Final[Kinds] = {
    contact_import.KIND: contact_import.JOBS,
    deal_import.KIND: deal_import.JOBS,
    deletion.KIND: deletion.DELETIONS,
}
