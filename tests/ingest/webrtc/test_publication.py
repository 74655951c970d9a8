from datetime import timedelta

import pytest

from ingest.webrtc.publication import Intake, Publication, is_key_picture
from tests.fakes.clock import ManualClock

KEY = b"\x00\x00\x00\x01\x67aa\x00\x00\x01\x68bb\x00\x00\x01\x65cc"
NEXT = b"\x00\x00\x00\x01\x41cc"


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.asked = 0
        self.publication = Publication(self.ask, clock=self.clock)

    def ask(self) -> None:
        self.asked += 1

    def taken(self) -> list[int]:
        """Ticks of all that can be taken now, since the first ever."""
        found = []
        while (picture := self.publication.take(timeout_s=0)) is not None:
            found.append(picture.ticks - 900_000)
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("codec", "content", "is_key"),
    [
        ("h264", KEY, True),
        ("h264", NEXT, False),
        ("h264", b"\x00\x00\x01\x09\xf0\x00\x00\x01\x65", True),
        ("h264", b"", False),
        ("vp8", b"\x10\x02\x00\x9d\x01\x2a", True),
        ("vp8", b"\x11\x02\x00", False),
    ],
)
def test_key_frames_are_known(codec: str, content: bytes, is_key: bool) -> None:
    assert is_key_picture(codec, content or b"\x00") is is_key


def test_it_begins_with_a_key_frame_and_asks_for_one(bench: Bench) -> None:
    bench.publication.picture("H264", NEXT, 3000)
    assert bench.taken() == []
    assert bench.asked == 1
    assert not bench.publication.has_begun

    bench.publication.picture("H264", KEY, 6000)
    bench.publication.picture("H264", NEXT, 9000)

    assert bench.taken() == [3000, 6000]
    assert bench.publication.has_begun


def test_time_goes_on_over_a_wrap_of_32_bits_and_a_picture_that_is_late(bench: Bench) -> None:
    last = (1 << 32) - 3000
    bench.publication.picture("H264", KEY, last)
    for ticks in (0, 6000, 3000, 9000):
        bench.publication.picture("H264", NEXT, ticks)

    assert bench.taken() == [0, 3000, 9000, 6000, 12000]


def test_key_frames_are_asked_for_every_few_seconds_but_not_more_often(bench: Bench) -> None:
    bench.publication.picture("H264", KEY, 0)
    for step in range(1, 301):
        bench.clock.advance(1 / 30)
        bench.publication.picture("H264", KEY if step % 125 == 0 else NEXT, 3000 * step)

    assert 2 <= bench.asked <= 4


def test_what_nobody_reads_is_dropped_up_to_the_next_key_frame(bench: Bench) -> None:
    bench.publication.picture("H264", KEY, 0)
    for step in range(1, 400):
        bench.publication.picture("H264", NEXT, 3000 * step)
    assert bench.taken() == []

    bench.publication.picture("H264", KEY, 3000 * 400)
    assert bench.taken() == [3000 * 400]


def test_a_reader_begins_with_the_newest_key_frame(bench: Bench) -> None:
    for ticks, content in ((0, KEY), (1, NEXT), (2, KEY), (3, NEXT)):
        bench.publication.picture("H264", content, ticks)

    bench.publication.skip_to_key()

    assert bench.taken() == [2, 3]


def test_the_first_cause_of_an_end_is_kept(bench: Bench) -> None:
    bench.publication.end("first")
    bench.publication.ended()

    assert bench.publication.cause == "first"
    assert bench.publication.take(timeout_s=0) is None


def test_a_sender_report_says_when_a_picture_was_by_the_publishers_clock(bench: Bench) -> None:
    at = bench.clock.now()
    bench.publication.report(at, 0)
    assert bench.publication.sent_at(10.0) is None

    bench.publication.picture("H264", KEY, 45_000)
    bench.publication.report(at, (1 << 32) - 45_000)

    first_s = 10.0
    assert bench.publication.sent_at(first_s) == at + timedelta(seconds=1)


def test_a_second_publisher_waits_until_the_first_is_silent_or_over(bench: Bench) -> None:
    intake = Intake()
    second = Publication(bench.ask, clock=bench.clock)
    assert intake.begin(bench.publication)
    bench.publication.picture("H264", KEY, 0)
    assert not intake.begin(second)

    bench.clock.advance(3.1)
    assert intake.begin(second)

    assert intake.current is second
    assert "another publisher" in bench.publication.cause


def test_a_reader_waits_for_the_first_key_frame(bench: Bench) -> None:
    intake = Intake()
    assert not intake.wait(timeout_s=0)
    intake.begin(bench.publication)
    assert not intake.wait(timeout_s=0)

    bench.publication.picture("H264", KEY, 0)
    assert intake.wait(timeout_s=0)

    bench.publication.end("over")
    assert not intake.wait(timeout_s=0)
    assert intake.current is None


OPUS = b"\x78\x00"
"""20 ms."""


def test_sound_comes_with_the_picture_after_it_at_its_time(bench: Bench) -> None:
    publication = bench.publication
    publication.arrived(0)
    publication.picture("H264", KEY, 0)
    for number in range(3):
        publication.sound_arrived(960 * number)
        publication.sound(OPUS, 960 * number)
        bench.clock.advance(0.02)
    publication.sound(b"", 960 * 3)
    publication.arrived(5400)
    publication.picture("H264", NEXT, 5400)

    first, second = (publication.take(timeout_s=0) for _ in range(2))

    assert first is not None
    assert first.sounds == ()
    assert second is not None
    assert [sound.stream_s for sound in second.sounds] == pytest.approx([10.0, 10.02, 10.04])
    assert {sound.duration_s for sound in second.sounds} == {0.02}


def test_sound_before_any_picture_and_without_end_is_not_kept(bench: Bench) -> None:
    publication = bench.publication
    publication.sound_arrived(0)
    publication.sound(OPUS, 0)
    publication.arrived(0)
    publication.picture("H264", KEY, 0)
    for number in range(2000):
        publication.sound_arrived(960 * number)
        publication.sound(OPUS, 960 * number)
        bench.clock.advance(0.02)
    publication.picture("H264", NEXT, 3000)

    first, second = (publication.take(timeout_s=0) for _ in range(2))

    assert first is not None
    assert first.sounds == ()
    assert second is not None
    assert len(second.sounds) == 512, "10 s: the camera that stands still is opened anew by then"


def test_sound_is_no_sign_of_life(bench: Bench) -> None:
    bench.publication.arrived(0)
    bench.publication.picture("H264", KEY, 0)
    for number in range(200):
        bench.clock.advance(0.02)
        bench.publication.sound_arrived(960 * number)
        bench.publication.sound(OPUS, 960 * number)

    assert bench.publication.is_replaceable
