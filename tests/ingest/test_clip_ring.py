from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import EvidenceMissing
from contracts.settings import IngestSettings
from ingest.clip_ring import ClipRing, Footage
from ingest.clip_template import ClipTemplate
from ingest.sources.file import open_file
from ingest.sources.stream import EncodedPacket, StreamReader
from tests.fakes.clips import walker_path
from tests.fakes.clock import START
from tests.ingest.recordings import Shot, file_camera, write


def template_of(path: Path) -> ClipTemplate:
    opened = open_file(file_camera(path), IngestSettings())
    template = ClipTemplate(StreamReader(opened, camera_id="gate").stream)
    opened.close()
    return template


@pytest.fixture(scope="module")
def template() -> ClipTemplate:
    return template_of(walker_path())


def packet(at_s: float, *, is_key: bool | None = None, size: int = 100) -> EncodedPacket:
    """Ten a second, a key frame each whole second."""
    key = abs(at_s - round(at_s)) < 1e-6 if is_key is None else is_key
    return EncodedPacket(content=bytes(size), stream_s=at_s, is_key=key)


def filled(
    template: ClipTemplate,
    *,
    to_s: float = 10.0,
    keep_s: float = 100.0,
    max_bytes: int = 1 << 20,
    run_id: str = "run1",
) -> ClipRing:
    ring = ClipRing(keep_s=keep_s, max_bytes=max_bytes)
    ring.begin_run(run_id, template)
    ring.anchor(START)
    for index in range(round(to_s * 10) + 1):
        ring.add(packet(index / 10))
    return ring


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def times(footage: Footage) -> list[float]:
    return [one.stream_s for one in footage.packets]


def test_a_clip_begins_with_the_key_frame_before_and_ends_where_it_is_to(
    template: ClipTemplate,
) -> None:
    footage = filled(template).cover("run1", at(3.4), at(5.2))

    assert footage.packets[0].is_key
    assert footage.starts_at == at(3.0)
    assert (times(footage)[0], times(footage)[-1]) == (3.0, 5.2)


def test_a_start_before_the_ring_gives_what_there_is(template: ClipTemplate) -> None:
    footage = filled(template, keep_s=4.0).cover("run1", at(-20.0), at(7.0))

    assert footage.starts_at == at(6.0)


def test_whole_groups_go_when_their_time_is_over(template: ClipTemplate) -> None:
    ring = filled(template, to_s=10.0, keep_s=4.0)

    footage = ring.cover("run1", at(0.0), at(10.0))

    assert times(footage)[0] == 6.0
    assert ring.size_bytes == 41 * 100


def test_memory_is_bounded_before_time_is(template: ClipTemplate) -> None:
    ring = filled(template, to_s=10.0, keep_s=100.0, max_bytes=2500)

    assert ring.size_bytes <= 2500
    assert times(ring.cover("run1", at(0.0), at(10.0)))[0] == 8.0


def test_a_group_larger_than_memory_is_given_up_until_the_next_key_frame(
    template: ClipTemplate,
) -> None:
    ring = filled(template, to_s=0.0, max_bytes=1000)
    for index in range(1, 25):
        ring.add(packet(index / 10, is_key=index == 20))

    assert ring.size_bytes <= 1000
    assert times(ring.cover("run1", at(0.0), at(9.0))) == [2.0, 2.1, 2.2, 2.3, 2.4]


def test_packets_before_the_first_key_frame_are_not_kept(template: ClipTemplate) -> None:
    ring = filled(template, to_s=-1.0)
    ring.add(packet(0.5))

    assert ring.size_bytes == 0


@pytest.mark.parametrize(
    ("starts_s", "ends_s"), [(-20.0, -10.0), (20.0, 30.0)], ids=["too early", "too late"]
)
def test_a_time_that_is_not_kept_is_told_with_the_times_that_are(
    template: ClipTemplate, starts_s: float, ends_s: float
) -> None:
    with pytest.raises(EvidenceMissing, match=r"is of stream seconds 0\.0 to 10\.0; asked for"):
        filled(template).cover("run1", at(starts_s), at(ends_s))


def test_an_unknown_run_is_told(template: ClipTemplate) -> None:
    with pytest.raises(EvidenceMissing, match="no video of run other is kept"):
        filled(template).cover("other", at(1.0), at(2.0))


def test_a_run_that_ended_can_still_be_covered_while_the_next_goes_on(
    template: ClipTemplate,
) -> None:
    ring = filled(template, to_s=5.0, keep_s=30.0)
    ring.begin_run("run2", template)
    ring.anchor(at(6.0))
    for index in range(51):
        ring.add(packet(index / 10))

    assert times(ring.cover("run1", at(2.0), at(4.0)))[0] == 2.0
    assert ring.cover("run2", at(8.0), at(9.0)).starts_at == at(8.0)


def test_a_run_that_ended_goes_when_its_time_is_over(template: ClipTemplate) -> None:
    ring = filled(template, to_s=5.0, keep_s=10.0)
    ring.begin_run("run2", template)
    ring.anchor(at(20.0))
    for index in range(21):
        ring.add(packet(index / 10))

    with pytest.raises(EvidenceMissing, match="no video of run run1"):
        ring.cover("run1", at(2.0), at(4.0))
    assert ring.size_bytes == 21 * 100


def test_waiting_is_over_when_the_end_has_come(template: ClipTemplate) -> None:
    ring = filled(template, to_s=5.0)

    assert ring.reaches("run1", at(5.0))
    assert not ring.reaches("run1", at(5.1))


def test_waiting_is_over_when_the_run_is(template: ClipTemplate) -> None:
    ring = filled(template, to_s=5.0)
    ring.end_run()

    assert ring.reaches("run1", at(50.0))
    assert ring.reaches("unknown", at(50.0))


def test_a_ring_of_no_time_keeps_nothing(template: ClipTemplate) -> None:
    ring = filled(template, keep_s=0.0)

    assert ring.size_bytes == 0
    with pytest.raises(EvidenceMissing, match="clip_ring_s = 0"):
        ring.cover("run1", at(1.0), at(2.0))


def test_pictures_that_refer_to_what_came_before_the_key_frame_are_left_out(
    template: ClipTemplate,
) -> None:
    """In an open group B frames follow the key frame in the stream and precede it in time."""
    ring = filled(template, to_s=0.9)
    for at_s in (1.2, 1.0, 1.1, 1.5):
        ring.add(packet(at_s, is_key=at_s == 1.2))

    assert times(ring.cover("run1", at(1.3), at(2.0))) == [1.2, 1.5]


def test_a_stream_that_stood_still_is_shown_from_when_it_goes_on(template: ClipTemplate) -> None:
    ring = filled(template, to_s=5.0)
    for index in range(51):
        ring.add(packet(65.0 + index / 10))

    footage = ring.cover("run1", at(4.0), at(69.0))

    assert footage.shown_s(at(4.0), at(69.0)) == pytest.approx(1.0 + 4.0)
    assert footage.shown_s(at(63.1), at(69.0)) == pytest.approx(4.0), "not what stood still before"
    assert footage.shown_s(at(4.0), at(6.9)) == pytest.approx(1.0)
    assert footage.shown_s(at(4.55), at(4.85)) == pytest.approx(0.3)


def test_a_codec_that_mp4_cannot_hold_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.webm", Shot(frames=3), codec="libvpx")
    ring = filled(template_of(path))

    with pytest.raises(EvidenceMissing, match="vp8 video cannot be kept in MP4"):
        ring.cover("run1", at(1.0), at(2.0))


@settings(deadline=None, max_examples=50)
@given(
    sizes=st.lists(st.integers(1, 900), min_size=1, max_size=120),
    keep_s=st.floats(0.5, 8.0),
    ends=st.sets(st.integers(0, 119), max_size=4),
)
def test_size_and_order_hold_for_any_stream(
    template: ClipTemplate, sizes: list[int], keep_s: float, ends: set[int]
) -> None:
    ring = ClipRing(keep_s=keep_s, max_bytes=4000)
    run = 0
    ring.begin_run("run0", template)
    for index, size in enumerate(sizes):
        if index in ends:
            run += 1
            ring.begin_run(f"run{run}", template)
        ring.anchor(START)
        ring.add(packet(index / 10, size=size))
        assert 0 <= ring.size_bytes <= 4000
    try:
        footage = ring.cover(f"run{run}", at(0.0), at(99.0))
    except EvidenceMissing:
        return
    assert footage.packets[0].is_key
    assert times(footage) == sorted(times(footage))
    assert sum(len(one.content) for one in footage.packets) <= ring.size_bytes
