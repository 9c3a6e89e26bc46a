"""Nothing that looks at input takes more than linear time: every regular expression there is, and every reader of text."""

from __future__ import annotations

import ast
import csv
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.app import MAX_BODY
from application.importing.csv_file import CsvFile
from domain.contact_cells import READERS
from domain.importing import cells
from domain.importing.columns import headers
from domain.kernel import Refused, values
from schemas.wire.reading import MAX_VALUES, check_depth
from tests.growth import is_linear, taken
from tests.test_house import KNOWS, ROOT, modules

HOW = ("match", "fullmatch", "search", "sub", "split", "findall", "finditer")
LONGEST = csv.field_size_limit()
"""Characters of a cell: the longest text that is looked at before its own limit is known."""
SCREENED = 2_048
"""Characters with which the worst inputs are looked for."""
BAD = ("", "\0", " ", "!")
"""Ends with which what has begun to match does not."""


class Use(NamedTuple):
    """A pattern, and one way in which its module looks at text with it."""

    name: str
    pattern: re.Pattern[Any]
    how: str

    def run(self, text: Any) -> Callable[[], object]:
        look: Callable[..., object] = getattr(self.pattern, self.how)
        return partial(look, text[:0], text) if self.how == "sub" else lambda: _used_up(look(text))


def _used_up(found: Any) -> Any:
    return [*found] if isinstance(found, Iterator) else found


def uses() -> Iterator[Use]:
    """All patterns of the service's modules; one that goes by another name where it is used is searched with."""
    for path in (path for room in KNOWS for path in modules(room) if path.name != "__main__.py"):
        source = path.read_text()
        if "re.compile(" not in source:
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for variable, found in vars(importlib.import_module(name)).items():
            if isinstance(found, re.Pattern) and re.search(rf"^{variable}\b.*= re\.compile", source, re.MULTILINE):
                for how in set(re.findall(rf"\b{variable}\.({'|'.join(HOW)})\(", source)) or {"search"}:
                    yield Use(f"{name}.{variable}.{how}", found, how)


USES = sorted(uses(), key=lambda use: use.name)


def matching(pattern: re.Pattern[Any]) -> list[Any]:
    """Short texts that match, always the same ones."""
    found: list[Any] = []

    @settings(
        max_examples=40,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.from_regex(pattern))
    def collect(text: Any) -> None:
        matched = pattern.search(text)
        if matched is not None and matched[0]:
            found.append(matched[0][:12])

    collect()
    return sorted(set(found), key=len)[:10]


def attacks(pattern: re.Pattern[Any]) -> Iterator[Callable[[int], Any]]:
    """Texts of any size: what matches with a piece of it many times over, and then perhaps what does not match."""
    for text in matching(pattern):
        for begin in range(len(text)):
            for end in range(begin + 1, min(begin + 3, len(text)) + 1):
                for bad in BAD if isinstance(text, str) else [bad.encode() for bad in BAD]:
                    yield partial(_pumped, text[:begin], text[begin:end], bad)


def _pumped(before: Any, piece: Any, behind: Any, size: int) -> Any:
    return before + piece * (size // len(piece)) + behind


def linear(use: Use, largest: int) -> bool:
    """Whether the inputs that take longest at a small size grow well up to double the largest."""
    found = [(taken(use.run(attack(SCREENED))), number, attack) for number, attack in enumerate(attacks(use.pattern))]
    worst = [attack for _, _, attack in sorted(found, reverse=True)[:2]]
    assert worst, f"no text is found that matches {use.pattern.pattern!r}"
    return all(is_linear(partial(_prepared, use, attack), largest) for attack in worst)


def _prepared(use: Use, attack: Callable[[int], Any], size: int) -> Callable[[], object]:
    return use.run(attack(size))


@pytest.mark.parametrize("use", USES, ids=[use.name for use in USES])
def test_a_regular_expression_takes_linear_time(use: Use) -> None:
    assert linear(use, LONGEST)


@pytest.mark.parametrize(
    ("written", "how"),
    [
        (r"\s*[\r\n]+\s*", "sub"),
        (r"[^@\s]+@[^@\s]+\.[^@\s]+\Z", "match"),
        (r"\w+;", "search"),
    ],
)
def test_one_that_does_not_is_found_out(written: str, how: str) -> None:
    assert not linear(Use("slow", re.compile(written), how), 8_192)


def test_all_regular_expressions_are_where_they_are_found() -> None:
    """On top of their modules, by name."""
    inline = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room in KNOWS
        for path in modules(room)
        for top in ast.parse(path.read_text()).body
        for node in ast.walk(top)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {f"re.{how}" for how in (*HOW, "compile")}
        and not (isinstance(top, ast.Assign | ast.AnnAssign) and top.value is node)
    ]
    assert inline == []


def readers() -> Iterator[tuple[str, Callable[[str], object]]]:
    """Whatever makes a value of one text."""
    yield from ((f"READERS.{name}", read) for name, read in READERS.items())
    for module in (values, cells):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ != module.__name__ or name.startswith("_"):
                continue
            first, *others = inspect.signature(function).parameters.values()
            if first.annotation == "str" and all(other.default is not other.empty for other in others):
                yield f"{module.__name__}.{name}", function


FOUND = dict(readers())
PIECES = ["a", " ", "\n", "a ", "a\n", ".", "a.", "-", "a-", "@", "a@", "1", "1.", "(1", "+1 ", "/", ":", ",", "ä", "e\u0301", "\ufdfa"]  # fmt: skip
ENDS = ["", "\0", "@example.com"]


@pytest.mark.parametrize("name", FOUND)
def test_a_value_is_read_in_linear_time(name: str) -> None:
    read = FOUND[name]

    def run(before: str, piece: str, behind: str) -> Callable[[int], Callable[[], object]]:
        return lambda size: partial(_tried, read, _pumped(before, piece, behind, size))

    every = [run(before, piece, behind) for before in ("", "a@b", "https://") for piece in PIECES for behind in ENDS]
    slowest = sorted(every, key=lambda found: taken(found(SCREENED)), reverse=True)[:3]
    assert all(is_linear(found, LONGEST) for found in slowest)


def _tried(read: Callable[[Any], object], text: Any) -> None:
    with suppress(ValueError, Refused):
        read(text)


@pytest.mark.parametrize("names", [["c"], ["c", "c 2", "c 2 2"], [""], ["c", "Column 2"]])
def test_repeated_names_of_columns_are_numbered_in_linear_time(names: list[str]) -> None:
    assert is_linear(lambda size: partial(headers, names * (size // len(names))), 65_536)


@pytest.mark.parametrize(
    "piece",
    [
        b",",
        b"a,",
        b'"",',
        b'"\n",',
        b"a",
        b"@",
        b"a@a.",
        b" ",
        b"a\n",
        b"\n",
        b'a,"\n',
        b'a,"x"y\n',
        b'a,""\n',
        b'"""\n',
    ],
)
def test_a_file_is_read_in_linear_time(piece: bytes) -> None:
    def read(content: bytes) -> None:
        list(CsvFile(BytesIO(content)).records())

    assert is_linear(lambda size: partial(_tried, read, b"a,b\n" + piece * (size // len(piece))), LONGEST)
    assert is_linear(lambda size: partial(_tried, read, piece * (size // len(piece))), LONGEST)


@pytest.mark.parametrize("piece", [b"[", b"[],", b'"",', b'"\\"', b'{"a":', b"[" * 32 + b"]" * 32, b"]", b"\\"])
def test_depth_is_bounded_in_linear_time(piece: bytes) -> None:
    # What holds too many values is looked at more closely: up to there, twice as much is not.
    largest = min(MAX_BODY, MAX_VALUES * len(piece) // 2)
    begins = b'{"a":[' + b"[" * 40 + b"]" * 40 + b","
    assert is_linear(lambda size: partial(_tried, check_depth, piece * (size // len(piece))), largest)
    assert is_linear(lambda size: partial(_tried, check_depth, begins + piece * (size // len(piece))), largest)
