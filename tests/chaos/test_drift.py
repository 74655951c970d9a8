"""Row C15: a day of drift, two wraps and a clock that is set, in simulated time."""

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from ingest.timeline import Arrival, Moment, PtsUnwrapper, Timeline
from tests.chaos.measured import Measured

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

DAY_S = 24 * 3600
FPS = 1.0
"""Frames a second that are placed: what happens between them adds nothing."""
BEGAN_AT = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


@pytest.mark.row("C15")
@pytest.mark.parametrize("ppm", [500.0, -500.0])
def test_a_day_of_drift(measured: Measured, ppm: float) -> None:
    chance = random.Random(3)  # noqa: S311  # the same jitter every time
    unwrapper = PtsUnwrapper(Fraction(1, 90_000))
    timeline = Timeline(frame_interval_s=1 / FPS)
    worst_s, negative, before, breaks = 0.0, 0, None, 0
    first_ticks = 2**32 - 90_000 * 3600  # wraps after an hour, and again 13 h 15 min later
    for index in range(int(DAY_S * FPS)):
        true_s = index / FPS
        step_s = 3600.0 if true_s >= DAY_S / 2 else 0.0  # someone sets our clock
        ticks = (first_ticks + round(true_s * (1 + ppm * 1e-6) * 90_000)) & 0xFFFFFFFF
        arrived_s = true_s + 0.02 + chance.expovariate(1 / 0.03)
        arrival = Arrival(
            at=BEGAN_AT + timedelta(seconds=arrived_s + step_s), monotonic_s=1000.0 + arrived_s
        )
        placed = timeline.place(unwrapper.seconds(ticks), arrival=arrival)
        if not isinstance(placed, Moment):  # a set clock ends the run, as docs/time.md says
            breaks += 1
            timeline, before = Timeline(frame_interval_s=1 / FPS), None
            placed = timeline.place(unwrapper.seconds(ticks), arrival=arrival)
            assert isinstance(placed, Moment)
        error_s = (placed.captured_at - BEGAN_AT).total_seconds() - true_s - step_s
        worst_s = max(worst_s, abs(error_s))
        negative += before is not None and placed.monotonic_s <= before
        before = placed.monotonic_s
    measured.note(f"{ppm:+g} ppm: worst {worst_s:.3f} s", holds=worst_s <= 0.5)
    measured.lost(
        f"{negative} negative, {breaks} new run, where the clock was set",
        is_allowed=negative == 0 and breaks <= 1,
    )
    measured.hold()
