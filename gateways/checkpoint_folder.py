"""A folder that checkpoints are put into: each a file of its own, whole and on disk before it counts, never overwritten."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateways.checkpoint_sink import SinkError, line
from schemas.verification import Checkpoint


def folder(given: str) -> Folder:
    """That is there; raises ``ValueError``."""
    if "://" in given or not Path(given).is_dir():
        raise ValueError("must be a folder that is there, or s3://bucket/prefix")
    return Folder(Path(given).resolve())


@dataclass(frozen=True)
class Folder:
    """Such as one that is mounted from another machine."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.resolve())

    def check(self) -> None:
        if not self.path.is_dir():
            raise SinkError(f"not a folder that is there: {self.path}")

    def put(self, checkpoint: Checkpoint, digest: str) -> None:
        """Writes ``<workspace>/<seq>-<digest>.json``; one that is there already stays. Raises ``SinkError``.

        Such a file is a line of a file for ``daybook verify --checkpoints``.
        """
        place = self.path / str(checkpoint.workspace_id)
        path = place / f"{checkpoint.seq:012}-{digest[:16]}.json"
        try:
            place.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _write(path, line(checkpoint))
            _sync(place)
            _sync(self.path)
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
