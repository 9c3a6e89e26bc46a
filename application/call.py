"""Use cases of calls: logging one, of who asks and as of now unless it is said otherwise."""

from __future__ import annotations

from msgspec.structs import asdict

from application.calling.caller import Caller
from domain.call import CALL, Call, CreateCall
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from schemas.call import NewCall


def log(unit: Work, caller: Caller, form: NewCall) -> Current[Call]:
    """A new call; refuses as the unit of work does."""
    by, at = form.user_id or caller.account_id, form.started_at or unit.now
    return unit.begin(CALL, new_id(), CreateCall(**asdict(form) | {"user_id": by, "started_at": at}))
