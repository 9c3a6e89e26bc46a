"""A figure: what was measured, what it is held against, and the one table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Figure:
    """``value`` of ``unit`` over ``reference``, which is a budget or what was measured beside it as a ceiling.

    ``limit`` bounds the ratio of the two, from above unless ``at_least``; without one the figure is for information.
    ``factor``: how much more CPU time this machine takes for the same work than the one that budgets of CPU time are for.
    """

    name: str
    value: float
    unit: str
    against: str
    reference: float
    limit: float | None = 1.0
    at_least: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""
    in_cpu_time: bool = False
    factor: float = 1.0

    @property
    def ratio(self) -> float:
        if not self.reference:
            return float("inf")
        slower = self.factor if self.in_cpu_time else 1.0
        return self.value / self.reference * (slower if self.at_least else 1 / slower)

    @property
    def within(self) -> bool | None:
        if self.limit is None:
            return None
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit

    def cells(self) -> tuple[str, ...]:
        bound = "" if self.limit is None else f"{'>=' if self.at_least else '<='} {self.limit:g}"
        within = {None: "", True: "yes", False: "NO"}[self.within]
        measured = f"{shown(self.value)} {self.unit}".strip() + (f" ({self.remark})" if self.remark else "")
        return self.name, measured, self.against, f"{self.ratio:.2f}", bound, within

    def as_json(self) -> dict[str, Any]:
        return {
            "figure": self.name,
            "value": self.value,
            "unit": self.unit,
            "against": self.against,
            "reference": self.reference,
            "factor": self.factor if self.in_cpu_time else 1.0,
            "ratio": self.ratio,
            "limit": self.limit,
            "atLeast": self.at_least,
            "withinBudget": self.within,
            "details": dict(self.details),
        }


def budget(
    name: str, value: float, unit: str, most: float, *, details: Mapping[str, Any] | None = None, remark: str = ""
) -> Figure:
    """At most so much."""
    against = f"budget {shown(most)} {unit}"
    in_cpu_time = "CPU" in unit
    return Figure(name, value, unit, against, most, details=details or {}, remark=remark, in_cpu_time=in_cpu_time)


def rate(
    name: str, value: float, unit: str, least: float, *, details: Mapping[str, Any] | None = None, remark: str = ""
) -> Figure:
    """At least so many."""
    against = f"budget {shown(least)} {unit}"
    found = Figure(name, value, unit, against, least, at_least=True, details=details or {}, remark=remark)
    return replace(found, in_cpu_time="CPU" in unit)


def shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


HEADINGS = ("figure", "measured", "against", "ratio", "budget", "within")


def table(figures: Sequence[Figure]) -> str:
    """Plain text, a line each."""
    lines = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    written = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    ]
    written.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(written)
