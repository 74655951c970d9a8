from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.recorder.parts import (
    Part,
    open_name,
    opened_at,
    parse_part,
    part_of_id,
    to_millisecond,
)
from tests.fakes.clock import START

DIGEST = "ab" * 32


def part(**changes: object) -> Part:
    values = {"camera_id": "gate", "starts_at": START, "duration_s": 60.04, "digest": DIGEST}
    return Part(**{**values, **changes})  # type: ignore[arg-type]


def test_a_name_says_time_length_and_hash() -> None:
    assert part().name == f"120000000-60040-{DIGEST}.mp4"
    assert part().part_id == f"20260301-120000000-60040-{DIGEST}"
    assert part().ends_at == START + timedelta(seconds=60.04)


@given(
    at=st.timedeltas(timedelta(), timedelta(days=30_000)),
    length_ms=st.integers(0, 10_000_000),
)
def test_what_was_named_is_read_back(at: timedelta, length_ms: int) -> None:
    named = part(starts_at=to_millisecond(START + at), duration_s=length_ms / 1000)

    assert parse_part("gate", named.day, named.name) == named
    assert part_of_id("gate", named.part_id) == named


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("20260301", f"120000000-60040-{DIGEST}.part"),
        ("20260301", f"250000000-60040-{DIGEST}.mp4"),
        ("20260301", f"120000000-060040-{DIGEST}.mp4"),  # one length, one name
        ("20261301", f"120000000-60040-{DIGEST}.mp4"),
        ("2026030", f"120000000-60040-{DIGEST}.mp4"),
        ("..", f"120000000-60040-{DIGEST}.mp4"),
        ("20260301", "../../etc/passwd"),
        ("20260301", f"120000000-60040-{DIGEST.upper()}.mp4"),
    ],
)
def test_what_is_no_name_of_ours_is_no_part(day: str, name: str) -> None:
    assert parse_part("gate", day, name) is None


@pytest.mark.parametrize("part_id", ["", "-", "20260301", "20260301-", "..-../x", "20260301-/-/"])
def test_what_is_no_id_is_no_part(part_id: str) -> None:
    assert part_of_id("gate", part_id) is None


def test_days_are_those_of_utc() -> None:
    berlin = timezone(timedelta(hours=2))
    named = part(starts_at=datetime(2026, 7, 1, 1, 30, tzinfo=berlin))

    assert (named.day, named.name[:9]) == ("20260630", "233000000")


def test_a_part_that_is_being_written_says_when_it_begins() -> None:
    name = open_name(START + timedelta(milliseconds=7), "0123abcd")

    assert name == ".120000007-0123abcd.part"
    assert opened_at("20260301", name) == START + timedelta(milliseconds=7)
    assert opened_at("20260301", part().name) is None
