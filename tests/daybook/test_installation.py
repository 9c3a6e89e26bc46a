"""A data folder of which a part is gone, and a database that is away: said in a line, and nothing is made or claimed."""

from __future__ import annotations

from pathlib import Path

import pytest

from daybook.embedded import EmbeddedServerError
from daybook.installation import CREDENTIALS_FILE, KEY_FILE, check_whole
from tests.daybook.serving import Served, free_port

DATABASE = "postgres/PG_VERSION"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """Not started."""
    return Served(tmp_path)


def put(data: Path, *names: str) -> list[Path]:
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).touch()
    return sorted(data.rglob("*"))


@pytest.mark.parametrize(
    ("left", "gone"),
    [
        ([CREDENTIALS_FILE, KEY_FILE], "/postgres is missing or empty, and credentials.json and secret.key beside it"),
        ([KEY_FILE], "/postgres is missing or empty, and secret.key beside it"),
        ([DATABASE, CREDENTIALS_FILE], "/secret.key is gone"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "verify", "migrate"])
def test_a_folder_of_which_a_part_is_gone_is_left_as_it_is(
    served: Served, command: str, left: list[str], gone: str
) -> None:
    found = put(served.folder / "data", *left)
    done = served.run(command)
    assert done.returncode == 2
    assert gone in done.stderr
    assert "Put it back from a backup" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "all is well" not in done.stdout
    assert sorted((served.folder / "data").rglob("*")) == found


def test_an_emptied_folder_of_the_database_is_no_database(tmp_path: Path) -> None:
    put(tmp_path, CREDENTIALS_FILE, KEY_FILE)
    (tmp_path / "postgres").mkdir()
    with pytest.raises(EmbeddedServerError, match="missing or empty"):
        check_whole(tmp_path)


@pytest.mark.parametrize("left", [[], [DATABASE], [DATABASE, KEY_FILE]])
def test_an_interrupted_first_start_is_gone_on_with(tmp_path: Path, left: list[str]) -> None:
    put(tmp_path, *left)
    check_whole(tmp_path)


@pytest.mark.parametrize("command", ["verify", "migrate"])
def test_a_database_that_is_away_is_one_line_and_not_what_tampering_answers(served: Served, command: str) -> None:
    done = served.run(command, DATABASE_URL=f"postgresql://postgres:hunter2@127.0.0.1:{free_port()}/daybook")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("daybook: the database cannot be used: ")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr
