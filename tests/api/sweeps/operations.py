"""The API's operations as its document has them: what every sweep goes over, so that none is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pytest

from daybook.openapi import documents

DOCUMENT: Final[dict[str, Any]] = json.loads(documents()["schemas/openapi.json"])
_BASE: Final = "/api/v1"


def resolved(found: dict[str, Any]) -> dict[str, Any]:
    """What a ``$ref`` leads to; anything else as it is."""
    while "$ref" in found:
        target: Any = DOCUMENT
        for part in found["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        found = target
    return found


@dataclass(frozen=True)
class Operation:
    """``method`` in capitals, ``path`` below ``/api/v1``, and what the document says."""

    method: str
    path: str
    says: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.says["operationId"])

    @property
    def public(self) -> bool:
        return not self.says["security"]

    @property
    def scope(self) -> str | None:
        """Such as ``contacts:write``; ``None`` where any caller may ask."""
        found = [scope for entry in self.says["security"] for scope in entry["bearer"]]
        return found[0] if found else None

    @cached_property
    def parameters(self) -> list[dict[str, Any]]:
        return [resolved(parameter) for parameter in self.says["parameters"]]

    def taken(self, where: str) -> list[str]:
        """The names of its parameters in the ``path``, ``query`` or ``header``."""
        return [found["name"] for found in self.parameters if found["in"] == where]

    @property
    def in_path(self) -> list[str]:
        """Names of the path's parameters, in its order."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def looked_up(self) -> list[str]:
        """Those of them that name what must be there."""
        return [name for name in self.in_path if name not in CHOSEN.get(self.id, ())]

    @property
    def body(self) -> dict[str, Any] | None:
        """Schema and example of its JSON, ``None`` where it takes none."""
        found: dict[str, Any] | None = self.says.get("requestBody", {}).get("content", {}).get("application/json")
        return found

    @property
    def example(self) -> dict[str, Any]:
        """What its documentation sends it."""
        assert self.body is not None
        found: dict[str, Any] = self.body["example"]
        return found

    @property
    def required(self) -> frozenset[str]:
        """The fields that its body cannot be without."""
        return frozenset(() if self.body is None else resolved(self.body["schema"]).get("required", ()))

    @property
    def makes(self) -> bool:
        """Whether it makes something new of what it is sent."""
        return self.method == "POST" and "201" in self.says["responses"] and self.body is not None

    @property
    def imports(self) -> bool:
        """Whether it takes rows, and answers what is wrong with each."""
        return self.path.endswith("/import")

    @property
    def in_bulk(self) -> bool:
        """Whether it takes the ids of many things, and its job answers what is wrong with each."""
        return self.path.startswith("/bulk/")

    @property
    def writes(self) -> bool:
        return self.scope is not None and self.scope.endswith(":write")


CHOSEN: Final = {"putCustomFieldOfContact": {"key"}, "putCustomValue": {"key"}}
"""By operation, what in its path callers name as they like."""

OPERATIONS: Final = [
    Operation(method.upper(), path.removeprefix(_BASE), says)
    for path, item in DOCUMENT["paths"].items()
    for method, says in item.items()
]


def every(of: Callable[[Operation], bool] = lambda _: True) -> pytest.MarkDecorator:
    """Parametrizes with every operation of which that holds, by name."""
    chosen = [op for op in OPERATIONS if of(op)]
    assert chosen
    return pytest.mark.parametrize("op", [pytest.param(op, id=op.id) for op in chosen])


def creator(parameter: str) -> Operation | None:
    """The operation that makes what a path calls so: ``POST /contacts`` for the ``contactId`` of ``/contacts/{contactId}``."""
    collections = {op.path.split(f"/{{{parameter}}}")[0] for op in OPERATIONS if parameter in op.in_path}
    return next((op for op in OPERATIONS if op.makes and op.path in collections), None)
