"""Where passwords are hashed: in few threads of their own, as each hash takes 64 MiB and a processor for a while."""

from __future__ import annotations

import os
from typing import Final

from api.http.threads import FewThreads

AT_ONCE: Final = max(1, min(4, (os.cpu_count() or 1) // 2))
WAITING: Final = 16
RETRY_SECONDS: Final = 2


class Passwords(FewThreads):
    """What is run there hashes, and does nothing else."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        super().__init__("passwords", at_once=at_once, waiting=waiting, retry_seconds=RETRY_SECONDS)
