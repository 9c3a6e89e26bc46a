"""What is generated: the OpenAPI document, a JSON Schema for each event, and the page of all events."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from api.app import create_app
from api.docs.openapi import document
from application.calling.secretbox import KEY_BYTES, SecretBox
from application.calling.services import Services
from domain.catalogue import EVENTS
from domain.kernel import JSON
from eventstore.database import Pool
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS
from schemas.log import LogEntry
from schemas.verification import CHECKPOINT_SIGNED, Checkpoint
from schemas.webhook import WebhookEnvelope
from schemas.wire.generate import event_documents, written
from schemas.wire.generate import schemas as made
from schemas.wire.reference import event_page

ROOT: Final = Path(__file__).parent.parent
"""Where ``schemas/`` is: the checkout's root, or where the packages were installed."""


def openapi_document() -> bytes:
    """The API's. Nothing is connected to for it."""
    pool = Pool("", open=False)
    app = create_app(Services(pool, EventStore(pool, ROWS), SecretBox(bytes(KEY_BYTES))))
    return written(document(app.litestar))


def documents() -> dict[str, bytes]:
    """Path below the root → content. The examples of events are those that a checkout keeps of every event."""
    schemas = event_documents(LogEntry, WebhookEnvelope)
    examples = {name: (ROOT / "tests" / "golden" / f"{name}.json").read_bytes() for name in EVENTS}
    return {
        "schemas/openapi.json": openapi_document(),
        "docs/events.md": event_page(schemas | _beside(), examples, _BESIDE),
        **{f"schemas/events/{name}.json": written(schema) for name, schema in schemas.items()},
    }


_BESIDE: Final = {CHECKPOINT_SIGNED: msgspec.json.encode(Checkpoint.example)}
"""What webhooks are sent that is no event of the log, with examples."""


def _beside() -> dict[str, JSON]:
    """The schemas of that, as those of events are."""
    (data,), within = made([Checkpoint], "#/$defs/{name}")
    name = data["$ref"].rpartition("/")[2]
    within[name]["$anchor"] = "data"
    return {CHECKPOINT_SIGNED: {"description": within[name]["description"], "$defs": within}}


def drift(root: Path = ROOT) -> list[str]:
    """The paths that are not as ``documents`` has them: changed, missing, or left over."""
    wanted = documents()
    there = {str(path.relative_to(root)) for path in (root / "schemas" / "events").glob("*.json")}
    changed = [
        path for path, content in wanted.items() if not (root / path).exists() or (root / path).read_bytes() != content
    ]
    return sorted({*changed, *(there - wanted.keys())})


def write(root: Path = ROOT) -> list[str]:
    """Writes what has drifted, takes away what is left over, and answers the paths of both."""
    wanted = documents()
    changed = drift(root)
    for path in changed:
        target = root / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(wanted[path])
        else:
            target.unlink()
    return changed
