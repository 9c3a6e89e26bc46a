"""A bundle comes from somebody else: nothing in it makes the verifier write, run away with memory, or fall over."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Iterator
from uuid import UUID

import pytest

from eventstore.bundle.archive import END, member
from eventstore.bundle.contents import MANIFEST, MAX_CHECKPOINTS, MAX_FILE, MAX_LINE, events_name
from eventstore.bundle.verifying import verify_bundle
from eventstore.database import Pool
from schemas.verification import Finding
from tests.verify.bundles import Files, exported, tarred, unpacked, verified
from tests.verify.tampering import Past

PART = events_name(1)
MOST_MEMORY = 6 * MAX_FILE
"""Bytes that a verifier may hold at a time, whatever it is given."""


@pytest.fixture
def files(pool: Pool, workspace: UUID, past: Past) -> Files:
    return unpacked(exported(pool, workspace))


def finding(bundle: bytes) -> Finding:
    """What is wrong, found within limits."""
    tracemalloc.start()
    try:
        found = verify_bundle(io.BytesIO(bundle))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST_MEMORY
    assert found.report.finding is not None
    return found.report.finding


def packed(lines: Iterator[bytes]) -> bytes:
    """What gzip makes of them, which may be a thousandth."""
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", mtime=0) as file:
        for line in lines:
            file.write(line)
    return made.getvalue()


def test_a_bomb_of_one_line_is_not_unpacked(files: Files) -> None:
    bomb = packed(b" " * 1_000_000 for _ in range(500))
    assert len(bomb) < 1_000_000
    found = finding(tarred({**files, PART: bomb}))
    assert (found.what, found.seq) == (PART, 1)
    assert found.found == f"a line of more than {MAX_LINE:,} bytes"


def test_a_bomb_of_many_lines_ends_at_the_first_that_is_no_event(files: Files) -> None:
    found = finding(tarred({**files, PART: packed(b"\n" * 1_000_000 for _ in range(500))}))
    assert (found.what, found.seq) == (PART, 1)


def test_a_bomb_behind_events_is_not_unpacked(files: Files) -> None:
    lines = gzip.decompress(files[PART])
    bomb = packed(part for part in [lines, *(b" " * 1_000_000 for _ in range(500))])
    found = finding(tarred({**files, PART: bomb}))
    assert (found.what, found.seq) == (PART, 10)
    assert "more than" in found.found


def test_a_file_that_says_it_is_huge_is_not_read(files: Files) -> None:
    header = tarfile.TarInfo(PART)
    header.size = 8 * 1024**3 - 1
    bundle = tarred({name: files[name] for name in list(files)[:3]})[: -len(END)]
    found = finding(bundle + header.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    assert found.found == f"{PART} of 8,589,934,591 bytes, which are more than {MAX_FILE:,}"


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "events/../../x", "a\nb", "x" * 99])
def test_a_file_of_another_name_is_no_part_of_a_bundle(files: Files, name: str) -> None:
    found = finding(tarred({**{each: files[each] for each in list(files)[:3]}, name: b"x"}))
    assert (found.what, found.expected) == ("archive", f"the file {PART}")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.XHDTYPE])
def test_there_are_regular_files_and_nothing_else(files: Files, kind: bytes) -> None:
    header = tarfile.TarInfo(PART)
    header.type, header.linkname = kind, "/etc/passwd"
    bundle = tarred({name: files[name] for name in list(files)[:3]})[: -len(END)]
    found = finding(bundle + header.tobuf(tarfile.USTAR_FORMAT) + END)
    assert "which is no regular file" in found.found


def test_lines_nested_without_end_are_no_events(files: Files) -> None:
    deep = b'{"data":' + b'{"a":' * 200_000 + b"1" + b"}" * 200_001 + b"\n"
    found = finding(tarred({**files, PART: gzip.compress(deep)}))
    assert (found.what, found.seq) == (PART, 1)


def test_a_declaration_nested_without_end_is_none(files: Files) -> None:
    found = finding(tarred({**files, "bundle.json": b"[" * 200_000}))
    assert found.what == "bundle.json"


@pytest.mark.parametrize("name", ["bundle.json", "checkpoints.ndjson", MANIFEST])
def test_what_is_no_utf_8_is_no_json(files: Files, name: str) -> None:
    content = files[name] or b'{"hash":""}\n'
    found = finding(tarred({**files, name: content.replace(b'":"', b'":"\xff', 1)}))
    assert (found.what, "utf-8" in found.found) == (name, True)


def test_names_that_stand_twice_are_found(files: Files) -> None:
    lines = gzip.decompress(files[PART]).replace(b'{"actorid"', b'{"actorid":null,"actorid"', 1)
    found = finding(tarred({**files, PART: gzip.compress(lines)}))
    assert (found.seq, found.found) == (1, "the same in another form, or with a name that stands twice")


def test_more_checkpoints_than_a_bundle_has_are_not_read(files: Files) -> None:
    found = finding(tarred({**files, "checkpoints.ndjson": b"{}\n" * (MAX_CHECKPOINTS + 1)}))
    assert (found.what, found.found) == ("checkpoints.ndjson", "10,001")


@pytest.mark.parametrize("behind", [member("zzz", b""), b"x", bytes(512)])
def test_nothing_may_stand_behind_the_end(files: Files, behind: bytes) -> None:
    assert finding(tarred(files) + behind).found == "something behind the end of the archive"


def test_nothing_may_stand_behind_the_manifest(files: Files) -> None:
    assert finding(tarred({**files, "zzz": b""})).what == MANIFEST


@pytest.mark.parametrize("strange", [b"\0" * 511, b"PK\3\4" + bytes(600), b"x" * 5_000])
def test_what_is_no_archive_is_no_bundle(strange: bytes) -> None:
    assert verified(strange).verdict != "intact"


@pytest.mark.parametrize("packing", [b"", b"\x1f\x8b", b"plain\n"])
def test_events_that_are_not_packed_are_found(files: Files, packing: bytes) -> None:
    found = finding(tarred({**files, PART: packing}))
    assert (found.what, found.seq) == (PART, 1)
