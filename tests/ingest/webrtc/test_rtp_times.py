from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ingest.webrtc.rtp_times import REPORTS_APART_MAX_S, RtpTimes, SoundTimes

PICTURE, SOUND = 90_000, 48_000
START = datetime(2026, 1, 1, tzinfo=UTC)
WRAP = 1 << 32
FIRST_PICTURE, FIRST_SOUND = 777_000, WRAP - 24_000
"""Where the streams begin to count; the sound's wraps after half a second."""


class Publisher:
    """Both streams of one that began at 0; ``late_s`` is by how much each arrives later."""

    def __init__(self, *, picture_late_s: float = 0.05, sound_late_s: float = 0.05) -> None:
        self.pictures = RtpTimes(PICTURE)
        self.times = SoundTimes(self.pictures, ticks_per_s=SOUND)
        self._late_s = picture_late_s, sound_late_s

    def ticks(self, at_s: float) -> int:
        return (FIRST_SOUND + round(at_s * SOUND)) % WRAP

    def send(self, from_s: float, to_s: float) -> dict[float, float]:
        """Send a picture and a packet of sound each 20 ms; the sound's error in seconds."""
        errors: dict[float, float] = {}
        for number in range(round(from_s * 50), round(to_s * 50)):
            at_s = number / 50
            self.pictures.arrived(
                (FIRST_PICTURE + round(at_s * PICTURE)) % WRAP, now_s=at_s + self._late_s[0]
            )
            now_s = at_s + self._late_s[1]
            self.times.own.arrived(self.ticks(at_s), now_s=now_s)
            placed_s = self.times.place(self.ticks(at_s), now_s=now_s)
            assert placed_s is not None
            errors[at_s] = placed_s - (10.0 + at_s)
        return errors

    def report(self, at_s: float, *, wrong_s: float = 0.0) -> None:
        self.pictures.report(
            START + timedelta(seconds=at_s), (FIRST_PICTURE + round(at_s * PICTURE)) % WRAP
        )
        self.times.own.report(START + timedelta(seconds=at_s + wrong_s), self.ticks(at_s))


def test_without_reports_what_arrives_together_was_recorded_together() -> None:
    errors = Publisher().send(0.0, 2.0)

    assert all(error == pytest.approx(0.0, abs=1e-3) for error in errors.values())


def test_a_sender_report_corrects_what_arrival_cannot_tell_without_a_jump() -> None:
    """An encoder of pictures that takes 0.2 s longer than that of sound."""
    publisher = Publisher(picture_late_s=0.25)
    before = publisher.send(0.0, 1.0)
    publisher.report(1.0)
    after = publisher.send(1.0, 4.0)

    assert before[0.98] == pytest.approx(-0.2, abs=1e-3)
    assert after[3.98] == pytest.approx(0.0, abs=1e-3)
    assert max(late - early for early, late in pairwise(after.values())) <= 0.1 / 50 + 1e-6


def test_a_report_of_one_stream_alone_says_nothing() -> None:
    publisher = Publisher(picture_late_s=0.25)
    publisher.send(0.0, 1.0)
    publisher.pictures.report(START, FIRST_PICTURE)

    assert publisher.send(1.0, 3.0)[2.98] == pytest.approx(-0.2, abs=1e-3)


@pytest.mark.parametrize(
    ("wrong_s", "is_believed"),
    [
        pytest.param(REPORTS_APART_MAX_S - 0.01, True, id="within what encoders differ by"),
        pytest.param(REPORTS_APART_MAX_S + 0.01, False, id="not of one clock"),
    ],
)
def test_reports_are_believed_as_far_as_they_can_be_true(wrong_s: float, is_believed: bool) -> None:
    publisher = Publisher()
    publisher.send(0.0, 1.0)
    publisher.report(1.0, wrong_s=wrong_s)

    assert publisher.send(1.0, 9.0)[8.98] == pytest.approx(
        wrong_s if is_believed else 0.0, abs=1e-3
    )


def test_before_the_first_picture_sound_has_no_place() -> None:
    publisher = Publisher()
    publisher.times.own.arrived(publisher.ticks(0.0), now_s=0.0)

    assert publisher.times.place(publisher.ticks(0.0), now_s=0.0) is None


def test_sound_that_counts_from_another_number_is_placed_by_arrival_again() -> None:
    """An application that opens another microphone may begin a new clock."""
    publisher = Publisher()
    publisher.send(0.0, 1.0)
    publisher.report(1.0)
    own = publisher.times.own
    for at_s in (2.0, 2.02, 2.04):
        ticks = (123_456_789 + round(at_s * SOUND)) % WRAP
        publisher.pictures.arrived(FIRST_PICTURE + round(at_s * PICTURE), now_s=at_s)
        own.arrived(ticks, now_s=at_s)

    assert own.reported is None
    placed_s = publisher.times.place((123_456_789 + round(2.04 * SOUND)) % WRAP, now_s=2.04)
    assert placed_s == pytest.approx(12.04, abs=0.06)


def test_what_is_sent_again_late_does_not_count_as_arriving() -> None:
    times = RtpTimes(PICTURE)
    for at_s in (0.0, 3.0):
        times.arrived(round(at_s * PICTURE), now_s=at_s)
    times.report(START, 0)

    times.arrived(0, now_s=3.5)

    assert times.reported is not None
    assert times.least_delay_s(3.5) == pytest.approx(-10.0)
