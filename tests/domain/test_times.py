"""Times are read however ISO 8601 has them, and are kept in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.kernel.times import EXPECTED, read, rfc3339

TEN = datetime(2026, 3, 15, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-15T10:00:00Z", "2026-03-15T10:00:00.000Z", "2026-03-15T10:00:00,0Z", "2026-03-15t10:00:00z", "2026-03-15 10:00:00Z",
        "2026-03-15T10:00Z", "2026-03-15T11:00+01:00", "2026-03-15T11:00:00+0100", "2026-03-15T11:00+01", "2026-03-15T05:30:00-04:30",
        "2026-03-15 05:30-0430", "  2026-03-15T10:00Z ",
    ],
)  # fmt: skip
def test_a_time_is_read_with_any_offset_with_and_without_seconds(written: str) -> None:
    assert read(written) == TEN


def test_a_fraction_of_a_second_is_kept_to_the_microsecond() -> None:
    assert read("2026-03-15T10:00:00.250001Z") == TEN.replace(microsecond=250_001)


def test_a_date_is_its_first_moment_in_utc() -> None:
    assert read("2026-03-15") == TEN.replace(hour=0)


@pytest.mark.parametrize("written", ["2026-03-15T10:00:00", "2026-03-15T10:00", "2026-03-15 10:00:00.5"])
def test_a_time_without_its_zone_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="must have a time zone"):
        read(written)


@pytest.mark.parametrize(
    "written",
    [
        "", "soon", "15.03.2026", "2026-3-15", "2026-02-30", "20260315", "2026-W12-1", "2026-03-15T10Z", "2026-03-15T24:00Z",
        "2026-03-15T10:60Z", "2026-03-15T10:00+1", "2026-03-15T10:00 +01:00", "2026-03-15T10:00:00Z or so", "1773568800",
        "\u0662026-03-15",
    ],
)  # fmt: skip
def test_what_is_neither_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=EXPECTED):
        read(written)


@pytest.mark.parametrize("written", ["0001-01-01T00:00+01:00", "9999-12-31T23:59-01:00"])
def test_what_is_not_in_the_years_of_utc_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="1 to 9999"):
        read(written)


def test_what_is_no_time_stays_as_it_stands() -> None:
    assert rfc3339(" soon ") == " soon "
