"""Checkpoints get into a folder by themselves: each of them, once it can, and none is ever written over."""

from __future__ import annotations

import stat
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from application.log_checkpoint import sign
from daybook.auditing import kept_checkpoints
from daybook.settings import SettingsError, load
from domain.tag import TAG, CreateTag
from eventstore.append import Origin
from eventstore.checkpoint import digest
from eventstore.ids import new_id
from gateways.checkpoint_folder import Folder
from gateways.checkpoint_sink import SinkError
from projections.verify import verify
from schemas.log import Actor
from schemas.verification import Checkpoint
from tests.workers.running import Installation, eventually, running
from workers import log_sink


def signed(installation: Installation, workspace_id: UUID) -> Checkpoint:
    """A head behind one more event."""
    origin = Origin(workspace_id, Actor(type="system"))
    installation.store.run(origin, lambda unit: unit.begin(TAG, new_id(), CreateTag(name=f"Tag {new_id()}")))
    return sign(installation.store.pool, workspace_id, installation.config.signer)


def kept(folder: Path, workspace_id: UUID) -> list[Checkpoint]:
    """What the files say, as an auditor puts them together."""
    together = folder / "together"
    together.write_bytes(b"".join(path.read_bytes() for path in sorted((folder / str(workspace_id)).glob("*.json"))))
    return kept_checkpoints(together)


def is_kept(folder: Path, made: list[Checkpoint]) -> bool:
    return kept(folder, made[0].workspace_id) == made


def test_each_checkpoint_gets_into_the_folder_and_the_log_is_verified_with_them(
    installation: Installation, tmp_path: Path
) -> None:
    first, second = installation.workspace(), installation.workspace()
    before = [signed(installation, first), signed(installation, first)]
    other = signed(installation, second)
    config = replace(installation.config, checkpoint_sink=Folder(tmp_path))
    with running(config, partial(log_sink.run, every=0.05)):
        eventually(lambda: len(kept(tmp_path, first)) == 2 and len(kept(tmp_path, second)) == 1)
        after = signed(installation, first)
        eventually(lambda: len(kept(tmp_path, first)) == 3)
    assert kept(tmp_path, first) == [*before, after]
    assert kept(tmp_path, second) == [other]
    report = verify(installation.owner, workspaces=[first], checkpoints=kept(tmp_path, first))
    assert (report.finding, report.checkpoints) == (None, 6)


def test_a_folder_that_is_away_is_waited_for_and_that_is_told(
    installation: Installation, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workspace_id = installation.workspace()
    checkpoint = signed(installation, workspace_id)
    folder = tmp_path / "mounted"
    folder.write_text("no folder")
    config = replace(installation.config, checkpoint_sink=Folder(folder))
    with running(config, partial(log_sink.run, every=0.05, soon=0.05)):
        eventually(lambda: REGISTRY.get_sample_value("daybook_checkpoint_sink_behind") == 1)
        folder.unlink()
        folder.mkdir()
        eventually(lambda: REGISTRY.get_sample_value("daybook_checkpoint_sink_behind") == 0)
    assert "not kept elsewhere yet" in caplog.text
    assert kept(folder, workspace_id) == [checkpoint]


def test_what_a_crash_interrupts_is_done_again_and_nothing_is_written_over(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace_id = installation.workspace()
    made = [signed(installation, workspace_id) for _ in range(3)]

    put = Folder.put

    def crash(folder: Folder, checkpoint: Checkpoint, named: str) -> None:
        if checkpoint == made[2]:
            raise SinkError("the power is gone")
        put(folder, checkpoint, named)

    config = replace(installation.config, checkpoint_sink=Folder(tmp_path))
    monkeypatch.setattr(Folder, "put", crash)
    with running(config, partial(log_sink.run, every=0.05, soon=0.05)):
        eventually(lambda: kept(tmp_path, workspace_id) == made[:2])
    inodes = {path: path.stat().st_ino for path in (tmp_path / str(workspace_id)).glob("*.json")}
    monkeypatch.setattr(Folder, "put", put)
    with running(config, partial(log_sink.run, every=0.05, soon=0.05)):
        eventually(lambda: kept(tmp_path, workspace_id) == made)
    assert {path: path.stat().st_ino for path in inodes} == inodes


def test_another_folder_is_begun_anew(installation: Installation, tmp_path: Path) -> None:
    workspace_id = installation.workspace()
    made = [signed(installation, workspace_id) for _ in range(2)]
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        with running(replace(installation.config, checkpoint_sink=Folder(folder)), log_sink.run):
            eventually(partial(is_kept, folder, made))


def test_a_file_is_not_to_be_written_again_and_no_half_of_one_stays(installation: Installation, tmp_path: Path) -> None:
    checkpoint = signed(installation, installation.workspace())
    Folder(tmp_path).put(checkpoint, digest(checkpoint))
    (path,) = tmp_path.glob("*/*")
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    path.chmod(0o644)
    path.write_text("changed")
    Folder(tmp_path).put(checkpoint, digest(checkpoint))
    assert path.read_text() == "changed", "whoever changed it is found out by the others"
    assert [found.name for found in tmp_path.glob("*/*")] == [path.name]


@pytest.mark.parametrize("given", ["/nowhere/at/all", "ftp://host/folder", __file__])
def test_a_sink_that_is_no_folder_is_said_at_start(given: str) -> None:
    with pytest.raises(SettingsError, match="DAYBOOK_CHECKPOINT_SINK must be a folder that is there"):
        load({"DAYBOOK_CHECKPOINT_SINK": given})
