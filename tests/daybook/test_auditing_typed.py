"""What docs/auditing.md has auditors type works as it stands, one section after the other, and prints what is printed there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from daybook.openapi import ROOT
from tests.daybook.serving import Served

PAGE: Final = (ROOT / "docs" / "auditing.md").read_text()
Typed = Callable[[str], str]


@pytest.fixture(scope="module")
def typed(served: Served) -> Typed:
    """Has a shell do it, in one folder; the key is the installation's own, as are workspace and contact."""
    created = served.request("POST", "/contacts", json={"firstName": "Ada", "tags": ["VIP"], "company": "Acme"}).json()
    env = served.env | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DAYBOOK": f"{served.credentials['url']}/api/v1",
        "KEY": served.credentials["apiKey"],
        "WORKSPACE": served.credentials["workspaceId"],
        "CONTACT": created["data"]["id"],
    }
    asked = ["bash", "-e", "-o", "pipefail", "-c"]
    key = subprocess.run([*asked, "daybook audit key"], env=env, capture_output=True, text=True, check=True).stdout
    fingerprint = key.split()[-1]

    def typed(script: str) -> str:
        script = re.sub(r"SHA256:[\w+/]{43}", fingerprint, script).replace("{id}", "$CONTACT")
        done = subprocess.run(
            [*asked, script], cwd=served.folder, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        return done.stdout

    return typed


def blocks(title: str) -> list[str]:
    """What is typed under a heading, block by block, without what is printed."""
    section = re.split(r"^##+ ", PAGE.split(f"# {title}\n")[1], flags=re.MULTILINE)[0]
    found = re.findall(r"^```console\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return ["\n".join(re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE)) for block in found]


def test_checkpoints_are_kept_and_verified_with(typed: Typed) -> None:
    keep, trust, *_ = blocks("Checkpoints that you keep")
    assert re.search(r"checkpoints  \d signed heads, met by the log\n(.+\n)+all is well", typed(keep))
    assert "all is well" in typed(trust)


def test_one_entry_is_proved(typed: Typed) -> None:
    (prove,) = blocks("One entry, proved")
    assert "entry        3 of workspace" in typed(prove)


def test_a_log_that_was_read_verifies_without_the_database(typed: Typed) -> None:
    (read,) = blocks("Without the database")
    assert "all is well" in typed(read)


def test_a_bundle_is_exported_verified_and_replayed(typed: Typed) -> None:
    export = blocks("A bundle")[0]
    assert typed(export).split() == PAGE.split("$ tar -tf acme.tar\n")[1].split("```")[0].split()
    (verify,) = blocks("Verifying a bundle")
    assert typed(verify).splitlines()[-1] == "intact"
    (replay,) = blocks("Replaying a bundle")
    told = typed(replay).splitlines()
    assert told[: len(told) // 2] == told[len(told) // 2 :]
    assert told[-1].startswith("hash    ")


def test_why_a_field_is_as_it_is_and_what_was_is_told(typed: Typed) -> None:
    history, _ = blocks("The history of one thing")
    assert json.loads(typed(history))["data"][-1]["event"] == "contact.created"
    ask, tell = blocks("Why is it so")
    assert json.loads(typed(ask.replace("companyId", "company")))["data"]["value"] == "Acme"
    first, was, set_by = typed(tell.replace("companyId", "company")).splitlines()
    assert (first, was) == ('company is "Acme"', "it was null before")
    shape = re.findall(r"^set by     .*$", PAGE, re.MULTILINE)[0]
    assert [line.rpartition(", ")[2].split()[0] for line in (set_by, shape)] == ["request", "request"]
