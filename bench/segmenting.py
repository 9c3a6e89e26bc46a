"""Segments and custom fields over many contacts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from bench import load, people
from bench.figure import Figure, budget
from bench.scale import Scale
from bench.searching import PAGE, SEARCHES, cost
from bench.stack import Stack

FIELDS: Final = 20
_PREVIEWS: Final = (
    [("tags", "has", "vip"), ("status", "eq", "ACTIVE"), ("source", "in", ["website", "partner"])],
    [("company", "contains", "labs"), ("custom.field1", "gt", 2_500), ("tags", "not_has", "lead")],
    [("createdAt", "after", "2020-01-01"), ("email", "starts_with", "sara"), ("custom.field0", "neq", "Labs")],
)


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    (entry,) = stack.enter(1)
    for _ in people.fill(stack, entry.caller, scale.contacts, fields=FIELDS):
        continue
    stack.settle()

    def asking(path: str, conditions: Sequence[tuple[str, str, Any]], operator: str) -> bytes:
        asked = [{"field": field, operator: how, "value": value} for field, how, value in conditions]
        filtered = {"filter": {"match": "all", "conditions": asked}}
        grouped = {"query": {"groups": [{"conditions": asked}]}, "limit": 20}
        return load.request(
            "POST", path, entry.key, json.dumps(filtered if operator == "operator" else grouped).encode()
        )

    previews = [asking("/api/v1/segments/preview", conditions, "operator") for conditions in _PREVIEWS]
    equal = [asking("/api/v1/contacts/search", [(f"custom.field{n}", "eq", n * 700)], "op") for n in (1, 4, 7)]
    paths = [f"/api/v1/contacts?limit={PAGE}&search={quote(text)}" for text in SEARCHES]
    searches = [load.request("GET", path, entry.key) for path in paths]
    with stack.api() as api:
        meter = stack.meter(api=api.process)
        return [
            budget("segment preview, three conditions", cost(api, meter, previews, scale), "CPU ms", 60),
            budget("equality on a custom field", cost(api, meter, equal, scale), "CPU ms", 3),
            budget(f"search beside {FIELDS} custom fields", cost(api, meter, searches, scale), "CPU ms", 3),
        ]
