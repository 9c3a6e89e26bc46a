"""A breaker: while Postgres is known to be away, nobody waits to find out again."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Final

import psycopg

from eventstore.patience import PatientConnection

PAUSE_SECONDS: Final = 0.25
"""Between two looks at a server that is away."""

_LOOK_SECONDS: Final = 5.0
_CROWDED: Final = re.compile("too many (clients|connections)|connection slots")
"""What a server says that is there, and has no further connection to give; libpq tells no code of it."""


class Breaker:
    """Looks for the server when somebody got no answer, and again and again until it answers; then calls ``back``.

    Thread-safe. Nothing runs while all is well.
    """

    def __init__(self, url: str, back: Callable[[], None]) -> None:
        self._url = url
        self._back = back
        self._lock = threading.Lock()
        self._looking = False
        self._closed = threading.Event()
        self.away = False
        """Whether the last look found no server."""

    def suspect(self) -> None:
        """An answer did not come: has a thread look whether the server is there, where none does already."""
        with self._lock:
            if self._looking or self._closed.is_set():
                return
            self._looking = True
        threading.Thread(target=self._look, name="breaker", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def _look(self) -> None:
        while not self._answers() and not self._closed.is_set():
            self.away = True
            self._closed.wait(PAUSE_SECONDS)
        if self.away and not self._closed.is_set():
            self._back()
        with self._lock:
            self.away = self._looking = False

    def _answers(self) -> bool:
        try:
            with PatientConnection.connect(self._url, autocommit=True) as conn:
                conn.patience = _LOOK_SECONDS
                conn.execute("SELECT 1")
        except psycopg.Error as error:
            return _CROWDED.search(str(error)) is not None
        return True
