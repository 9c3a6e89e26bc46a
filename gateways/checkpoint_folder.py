"""A folder that checkpoints are put into: each a file of its own, whole and on disk before it counts, never overwritten."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from schemas.verification import Checkpoint


class SinkError(Exception):
    """A checkpoint could not be put where it belongs; the message says why."""


def put(folder: Path, checkpoint: Checkpoint, digest: str) -> None:
    """Writes ``<workspace>/<seq>-<digest>.json``; one that is there already stays. Raises ``SinkError``.

    Such a file is a line of a file for ``daybook verify --checkpoints``.
    """
    place = folder / str(checkpoint.workspace_id)
    path = place / f"{checkpoint.seq:012}-{digest[:16]}.json"
    try:
        place.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write(path, msgspec.json.encode(checkpoint) + b"\n")
        _sync(place)
        _sync(folder)
    except OSError as error:
        raise SinkError(f"{error.strerror}: {path}") from error


def _write(path: Path, content: bytes) -> None:
    """Under another name until it is whole. A link fails where a file is, so of two writers none undoes the other."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(0o444)
        with suppress(FileExistsError):
            os.link(new, path)
    finally:
        new.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
