"""A day of stream time with everything that goes wrong in a day, in seconds."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

import pytest

from ingest.timeline import Arrival, Break, Discontinuity, Moment, PtsUnwrapper, Timeline
from tests.fakes.clock import START

HOUR_S = 3600.0
TICK = Fraction(1, 90_000)
FPS = 2
JITTER_S = 0.04
BURST_EVERY = 977
"""Pictures; one in so many is held up for a second, as by a busy network."""


@dataclass
class Day:
    """One simulated camera and what became of its pictures.

    Attributes:
        errors_s: ``captured_at`` minus the wall clock at the moment of capture.
        intervals: True and found seconds between neighbours of one run.
        runs: How many, and what ended them.
    """

    ppm: float
    steps: dict[float, float]
    has_reports: bool
    errors_s: list[float] = field(default_factory=list)
    intervals: list[tuple[float, float]] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    wraps: int = 0
    is_rising: bool = True

    def play(self) -> None:
        chance = random.Random(11)  # noqa: S311  # a test's
        timeline, unwrapper = Timeline(frame_interval_s=1 / FPS), PtsUnwrapper(TICK)
        first_pts = 2**32 - round(HOUR_S * 90_000)
        last: tuple[float, Moment] | None = None
        last_pts = first_pts
        for index in range(round(24 * HOUR_S * FPS)):
            true_s = index / FPS
            camera_s = true_s * (1 + self.ppm * 1e-6)
            pts = (first_pts + round(camera_s * 90_000)) % 2**32
            self.wraps += pts < last_pts
            last_pts = pts
            wall_s = sum(step for at_s, step in self.steps.items() if true_s >= at_s)
            delay_s = 0.02 + chance.expovariate(1 / JITTER_S) + (index % BURST_EVERY == 1)
            sent_at = START + timedelta(seconds=true_s + wall_s) if self.has_reports else None
            came = Arrival(
                at=START + timedelta(seconds=true_s + delay_s + wall_s),
                monotonic_s=7000.0 + true_s + delay_s,
                sent_at=sent_at,
            )
            stream_s = unwrapper.seconds(pts)
            placed = timeline.place(stream_s, arrival=came)
            if isinstance(placed, Discontinuity):
                self.breaks.append(placed.kind)
                timeline, last = Timeline(frame_interval_s=1 / FPS), None
                placed = timeline.place(stream_s, arrival=came)
            assert isinstance(placed, Moment)
            true_at = START + timedelta(seconds=true_s + wall_s)
            self.errors_s.append((placed.captured_at - true_at).total_seconds())
            if last is not None:
                self.intervals.append((true_s - last[0], placed.monotonic_s - last[1].monotonic_s))
                self.is_rising &= placed.captured_at >= last[1].captured_at
            last = (true_s, placed)


@pytest.mark.parametrize("has_reports", [False, True], ids=["by arrival", "with sender reports"])
@pytest.mark.parametrize("ppm", [500.0, -500.0])
def test_a_day_with_drift_two_wraps_and_a_clock_that_is_set(ppm: float, has_reports: bool) -> None:
    day = Day(ppm=ppm, steps={8 * HOUR_S: 37.0, 16 * HOUR_S: -90.0}, has_reports=has_reports)

    day.play()

    assert day.wraps == 2
    assert max(map(abs, day.errors_s)) <= 0.5
    assert day.breaks == [Break.CLOCK_SET, Break.CLOCK_SET]
    assert day.is_rising
    # An interval that is off by more than the drift would be negative, doubled or torn.
    assert all(abs(found - true) < 1e-3 for true, found in day.intervals)


def test_the_clock_of_the_stream_stands_through_a_change_to_summer_time() -> None:
    """There is no local time in a timeline: the hour that Berlin skips is not skipped here."""
    timeline = Timeline(frame_interval_s=1.0)
    night = START.replace(month=3, day=29, hour=0, minute=59, second=58)
    moments = [
        timeline.place(
            second, arrival=Arrival(at=night + timedelta(seconds=second), monotonic_s=second)
        )
        for second in map(float, range(5))
    ]

    times = [moment.captured_at for moment in moments if isinstance(moment, Moment)]
    assert [after - before for before, after in pairwise(times)] == [timedelta(seconds=1)] * 4
