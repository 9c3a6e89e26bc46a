"""The compose file starts what there is, with settings that there are. (Running it takes a Docker engine.)"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from daybook import settings
from daybook.cli import daybook

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = ("api", "migrate", "worker")


@pytest.mark.parametrize("service", OURS)
def test_a_service_runs_a_command_that_there_is(service: str) -> None:
    assert COMPOSE["services"][service]["command"][0] in daybook.commands


@pytest.mark.parametrize("service", OURS)
def test_a_service_is_given_settings_that_are_read(service: str) -> None:
    read = set(re.findall(r'"((?:DAYBOOK|DATABASE|NATS)_[A-Z_]+)"', inspect.getsource(settings.load)))
    read.add("DAYBOOK_SECRET_KEY")
    assert set(COMPOSE["services"][service]["environment"]) <= read


@pytest.mark.parametrize(("service", "role"), [("api", "daybook_app"), ("worker", "daybook_worker")])
def test_the_service_connects_as_a_role_that_row_level_security_holds_for(service: str, role: str) -> None:
    assert COMPOSE["services"][service]["environment"]["DATABASE_URL"].startswith(f"postgresql://{role}:")


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert not re.search(r"\$\{[A-Z_]+:-", text)
    assert re.findall(r"(?:PASSWORD|TOKEN|SECRET_KEY): (?!\$\{)", text) == []


def test_every_setting_is_documented() -> None:
    documented = (ROOT / "docs/settings.md").read_text()
    for name in re.findall(r'"((?:DAYBOOK|DATABASE|NATS)_[A-Z_]+)"', inspect.getsource(settings.load)):
        assert f"`{name}`" in documented
