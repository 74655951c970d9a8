from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest.recorder.parts import Part
from ingest.recorder.retention import Limits
from tests.fakes.clock import START


def part(at_s: float, size_bytes: int = 10, camera_id: str = "gate") -> Part:
    return Part(
        camera_id=camera_id,
        starts_at=START + timedelta(seconds=at_s),
        duration_s=60.0,
        digest="0" * 64,
        size_bytes=size_bytes,
    )


def test_a_part_goes_when_all_of_it_is_too_old() -> None:
    limits, one = Limits(days=1.0), part(0)

    assert not limits.too_old(one, START + timedelta(days=1, seconds=60))
    assert limits.too_old(one, START + timedelta(days=1, seconds=60.1))


def test_the_oldest_go_first_whosever_they_are() -> None:
    parts = [part(120, camera_id="yard"), part(0, camera_id="yard"), part(60)]

    gone = Limits(days=1.0, quota_bytes=15).too_much(parts, held_bytes=30)

    assert [one.starts_at for one in gone] == [parts[1].starts_at, parts[2].starts_at]


def test_what_is_just_within_the_quota_stays() -> None:
    assert Limits(days=1.0, quota_bytes=20).too_much([part(0), part(1)], held_bytes=20) == []


def test_without_a_quota_only_age_counts() -> None:
    assert Limits(days=1.0).too_much([part(0)], held_bytes=1 << 60) == []


@given(
    sizes=st.lists(st.integers(1, 100), max_size=20),
    quota=st.integers(1, 500),
    other=st.integers(0, 200),
)
def test_no_more_goes_than_has_to(sizes: list[int], quota: int, other: int) -> None:
    parts = [part(index, size) for index, size in enumerate(sizes)]
    held = sum(sizes) + other

    gone = Limits(days=1.0, quota_bytes=quota).too_much(reversed(parts), held_bytes=held)

    assert gone == parts[: len(gone)]
    left = held - sum(one.size_bytes for one in gone)
    assert left <= quota or len(gone) == len(parts)
    assert not gone or left + gone[-1].size_bytes > quota
