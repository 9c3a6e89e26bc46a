"""What the README tells newcomers to type works as it stands."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.daybook.serving import Served, free_port

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def commands(title: str) -> list[str]:
    """What is to be typed under a heading: each from its ``$`` to the next."""
    section = README.split(f"# {title}\n")[1]
    block = re.findall(r"^```console\n(.*?)^```", section, re.DOTALL | re.MULTILINE)[0]
    return [command.strip() for command in re.split(r"^\$ ", block, flags=re.MULTILINE) if command.strip()]


def typed(served: Served, script: str) -> str:
    """What a shell at the checkout's root prints; in the README everything is at the places that are the default."""
    export = README.split("In a second terminal:")[1].split("```console\n")[1].split("```")[0].replace("$ ", "")
    export = export.replace(":8000", f":{served.port}").replace(".daybook/", f"{served.folder}/data/")
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{export}\n{script}"],
        cwd=ROOT,
        env=served.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_contact_is_created_and_found(served: Served) -> None:
    create, find = commands("Create a contact, and find it")
    contact = json.loads(typed(served, create))["data"]
    assert contact["phone"] == "+14155552671"
    assert [found["id"] for found in json.loads(typed(served, find))["data"]] == [contact["id"]]
    again = json.loads(typed(served, create))
    assert (again["error"]["code"], again["error"]["existingId"]) == ("conflict", contact["id"])


def test_the_receiver_prints_the_webhook_that_it_is_sent(served: Served) -> None:
    receive, register, create = commands("Receive a webhook")
    port = str(free_port())
    script = "\n".join(
        [
            f"({receive.removesuffix('&')}) > {served.folder}/received & receiver=$!",
            "trap 'kill $receiver' EXIT",
            "until (echo > /dev/tcp/127.0.0.1/9000) 2> /dev/null; do sleep 0.05; done",
            register,
            create,
            f"until grep -q contact.created {served.folder}/received; do sleep 0.05; done",
        ]
    ).replace("9000", port)
    typed(served, script)
    event_id, body = (served.folder / "received").read_text().split(" ", 1)
    sent = json.loads(body)
    assert (sent["id"], sent["type"], sent["data"]["firstName"]) == (event_id, "contact.created", "Ada")


def test_a_file_is_imported_and_a_second_time_creates_nothing(served: Served) -> None:
    (load,) = commands("Import a file")
    first, again = (json.loads(typed(served, load))["data"] for _ in range(2))
    assert first["created"] > 0
    assert again["created"] == 0


def test_the_log_is_read_and_verified(served: Served) -> None:
    typed(served, commands("Create a contact, and find it")[0])
    read, activities, verify = commands("Read the log, and verify it")
    entries = [json.loads(line) for line in typed(served, read).splitlines()]
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4, 5]
    assert {told["entityType"] for told in json.loads(typed(served, activities))["data"]} == {"contact"}
    assert typed(served, verify)
