"""What any place offers in which checkpoints are kept elsewhere."""

from __future__ import annotations

from typing import Protocol

import msgspec

from schemas.verification import Checkpoint


class SinkError(Exception):
    """A checkpoint could not be put where it belongs; the message says why."""


class SinkRefusedError(SinkError):
    """The place answers, and none can be put there until somebody changes what the message says."""


class CheckpointSink(Protocol):
    """A place of which nothing is taken away."""

    @property
    def name(self) -> str:
        """Which place it is; of another, everything is put there anew."""

    def check(self) -> None:
        """Whether checkpoints can be kept there; raises ``SinkError``."""

    def put(self, checkpoint: Checkpoint, digest: str) -> None:
        """Puts one there, whole or not at all; one that is there already stays. Raises ``SinkError``."""


def line(checkpoint: Checkpoint) -> bytes:
    """What is kept of one: a line of a file for ``daybook verify --checkpoints``."""
    return msgspec.json.encode(checkpoint) + b"\n"
