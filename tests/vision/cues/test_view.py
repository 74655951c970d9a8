"""The view: what is told of each tampering, and what is left alone."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.cameras import CameraState
from contracts.frames import Frame
from contracts.tracks import TrackState
from tests.bench import tamper_scenes as scenes
from tests.bench.gate_scenes import FloatPicture
from tests.bench.tamper_scenes import DISTURBANCES, ELECTRONIC, TAMPERINGS, Effect
from tests.fakes.views import filmed, frame_of, glimpse, readings, scene, watched
from vision.cues.tampering import Tampering
from vision.cues.view import ViewCue

WELL_S = 7.0


@cache
def well() -> tuple[Frame, ...]:
    return tuple(filmed(scene(), seconds=WELL_S))


def story(effect: Effect, *, noise: float = 2.0, lasts_s: float = 4.0) -> list[Frame]:
    """The scene, then the effect, then the scene again."""
    return [
        *well(),
        *filmed(scene(), seconds=lasts_s, starts_s=WELL_S, effect=effect, noise=noise),
        *filmed(scene(), seconds=3.0, starts_s=WELL_S + lasts_s),
    ]


@pytest.mark.parametrize("name", list(TAMPERINGS))
def test_a_tampering_is_told_once_within_two_seconds_with_its_cause(name: str) -> None:
    make, cause = TAMPERINGS[name]

    events = watched(story(make(), noise=0.0 if cause in ELECTRONIC else 2.0))

    [event] = events
    assert event.detail["cause"] == cause
    assert event.monotonic_s - WELL_S <= 2.0


@pytest.mark.parametrize("name", list(DISTURBANCES))
def test_a_disturbance_is_no_tampering(name: str) -> None:
    assert watched(story(DISTURBANCES[name], lasts_s=10.0)) == []


def with_a_clock(effect: Effect | None = None) -> Effect:
    """The effect, and over it what a camera draws itself: a bright strip along the upper edge."""

    def drawn(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        shown = picture.copy() if effect is None else effect(picture, since_s, rng).copy()
        strip = np.zeros((8, shown.shape[1] // 10, 1), np.float32)
        strip[:, (np.arange(strip.shape[1]) + round(10 * since_s)) % 3 == 0] = 1.0
        strip[:, strip.shape[1] // 2 :: 2] = 1.0  # what does not change: name, date
        shown[:8, : 10 * strip.shape[1]] = 30 + 195 * np.repeat(strip, 10, axis=1)
        return shown

    return drawn


@pytest.mark.parametrize("name", [name for name, (_, cause) in TAMPERINGS.items()
                                  if cause in ("covered", "defocused")])  # fmt: skip
def test_what_the_camera_draws_itself_hides_no_tampering(name: str) -> None:
    """A clock is sharp and where it was, whatever becomes of the lens."""
    make, cause = TAMPERINGS[name]
    before = filmed(scene(), seconds=WELL_S, effect=with_a_clock())
    spoilt = filmed(scene(), seconds=6.0, starts_s=WELL_S, effect=with_a_clock(make()))

    [event] = watched([*before, *spoilt])

    assert event.detail["cause"] == cause
    assert event.monotonic_s - WELL_S <= 2.0


def test_a_still_scene_with_noise_is_not_frozen() -> None:
    assert watched(filmed(scene(), seconds=30.0, noise=1.0)) == []


def test_a_picture_without_any_noise_is_frozen_after_a_minute_only() -> None:
    events = watched(filmed(scene(), seconds=62.0, noise=0.0))

    assert [event.detail["cause"] for event in events] == ["frozen"]
    assert events[0].monotonic_s == pytest.approx(60.0, abs=0.3)


def test_the_view_is_a_region_while_something_is_wrong_with_it() -> None:
    cue = ViewCue()
    seen = readings(cue, story(scenes.cover(22, slides_s=0.0)))

    regions = [reading.region for reading in seen if reading.region is not None]

    assert len({region.track_id for region in regions}) == 1
    assert [regions[0].state, regions[-1].state] == [TrackState.TENTATIVE, TrackState.ENDED]
    assert all(region.is_region and region.label == "covered view" for region in regions)
    states = [reading.state for reading in seen]
    assert states[: int(WELL_S * 5)] == [CameraState.SEEING] * int(WELL_S * 5)
    assert states.count(CameraState.BLIND) >= 10
    assert states[-1] is CameraState.SEEING


@pytest.mark.parametrize(
    ("hidden_s", "told"),
    [
        pytest.param(1.2, 0, id="too short to be believed"),
        pytest.param(1.6, 1, id="long enough"),
    ],
)
def test_boundary(hidden_s: float, told: int) -> None:
    cover = scenes.plain(30, 30, 30)

    assert len(watched(story(cover, lasts_s=hidden_s))) == told


def test_two_coverings_are_told_twice() -> None:
    cover = scenes.plain(30, 30, 30)
    first = story(cover, lasts_s=2.0)
    second = filmed(scene(), seconds=2.0, starts_s=WELL_S + 5.0, effect=cover)

    events = watched([*first, *second])

    assert len({event.track_id for event in events}) == 2


def test_who_takes_over_a_run_does_not_use_a_name_again() -> None:
    cover = scenes.plain(30, 30, 30)
    later = [*filmed(scene(), seconds=WELL_S, starts_s=60.0)]
    later += filmed(scene(), seconds=2.0, starts_s=60.0 + WELL_S, effect=cover)

    [first], [second] = watched(story(cover, lasts_s=2.0)), watched(later)

    assert first.track_id != second.track_id


def test_a_flicker_of_one_good_frame_does_not_begin_it_anew() -> None:
    cover = scenes.plain(30, 30, 30)
    frames = [
        *filmed(scene(), seconds=WELL_S),
        *filmed(scene(), seconds=1.0, starts_s=WELL_S, effect=cover),
        *filmed(scene(), seconds=0.2, starts_s=WELL_S + 1.0),
        *filmed(scene(), seconds=1.0, starts_s=WELL_S + 1.2, effect=cover),
    ]

    [event] = watched(frames)

    assert event.since_s == pytest.approx(WELL_S - 0.2)


def test_two_cameras_do_not_share_what_they_remember() -> None:
    gate, yard = ViewCue(), ViewCue()
    readings(gate, filmed(scene(1), seconds=WELL_S))
    readings(yard, filmed(scene(2), seconds=WELL_S, camera_id="yard"))

    at_gate = readings(gate, filmed(scene(1), seconds=2.0, starts_s=WELL_S))
    in_yard = readings(yard, filmed(scene(1), seconds=2.0, starts_s=WELL_S, camera_id="yard"))

    assert at_gate[-1].cause is None
    assert in_yard[-1].cause is Tampering.MOVED


def test_a_new_view_that_stays_is_taken_for_the_cameras_own() -> None:
    cue = ViewCue()
    readings(cue, filmed(scene(1), seconds=WELL_S))
    seen = readings(cue, filmed(scene(2), seconds=65.0, starts_s=WELL_S))

    assert seen[20].state is CameraState.DEGRADED
    assert seen[-1].cause is None


def test_a_camera_that_shows_nothing_from_the_start_is_told_later() -> None:
    dark = filmed(scene(), seconds=8.0, effect=scenes.plain(0, 0, 0), noise=0.0)

    [event] = watched(dark)

    assert event.detail["cause"] == "black"
    assert event.monotonic_s == pytest.approx(5.2, abs=0.3)


def test_a_cut_to_another_view_soon_after_the_start_is_none() -> None:
    frames = [*filmed(scene(1), seconds=4.0), *filmed(scene(2), seconds=4.0, starts_s=4.0)]

    assert watched(frames) == []


def test_a_camera_that_changes_resolution_begins_a_new_view() -> None:
    cue = ViewCue()
    frames = story(scenes.plain(30, 30, 30), lasts_s=2.0)
    readings(cue, frames[: int((WELL_S + 2.0) * 5)])
    large = np.zeros((240, 320, 3), np.uint8)

    ended = cue.look(glimpse(frame_of(large, WELL_S + 2.0)))

    assert ended.region is not None
    assert ended.region.state is TrackState.ENDED
    assert cue.look(glimpse(frame_of(large, WELL_S + 2.2))).state is CameraState.SEEING


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 2), (90, 160), (700, 500)])
def test_any_size_of_picture_is_read(size: tuple[int, int]) -> None:
    cue, rng = ViewCue(), np.random.default_rng(1)

    for number in range(40):
        pixels = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
        assert math.isfinite(cue.look(glimpse(frame_of(pixels, number / 5))).gone)


PICTURES = st.lists(
    st.tuples(st.floats(-0.5, 3.0), st.integers(0, 5), st.floats(0.0, 2.0)), max_size=30
)


@settings(max_examples=25, deadline=None)
@given(steps=PICTURES)
def test_whatever_comes_in_whatever_order_of_time_the_reading_makes_sense(
    steps: list[tuple[float, int, float]],
) -> None:
    """Times that stand still or go back, jumps of light and of view."""
    cue, at_s = ViewCue(), 10.0
    alive = ""
    for step_s, seed, light in steps:
        at_s = max(0.0, at_s + step_s)
        pixels = np.clip(light * scene(seed), 0, 255).astype(np.uint8)
        reading = cue.look(glimpse(frame_of(pixels, at_s)))
        assert 0.0 <= reading.gone <= 1.0
        assert math.isfinite(reading.sigma)
        assert (reading.cause is None) or (reading.region is not None)
        assert reading.state is CameraState.SEEING or reading.cause is not None
        region = reading.region
        if region is not None and region.state is not TrackState.ENDED:
            assert alive in ("", region.track_id)
        alive = "" if region is None or region.state is TrackState.ENDED else region.track_id
