from datetime import UTC, datetime, timedelta

import numpy as np

from contracts.frames import BgrImage
from ingest.sources.scenes.registry import load_scene
from ingest.sources.scenes.yard_truth import yard_truth

AT = datetime(2026, 3, 2, 7, 40, tzinfo=UTC)


def picture(t_s: float, *, at: datetime = AT) -> BgrImage:
    scene = load_scene("yard")
    return scene.picture(round(t_s * scene.fps), shown_at=at)


def test_a_picture_has_the_size_that_the_scene_says() -> None:
    scene = load_scene("yard")
    assert picture(0.0).shape == (scene.height, scene.width, 3) == (360, 640, 3)


def test_the_same_moment_gives_the_same_pixels() -> None:
    assert np.array_equal(picture(11.2), picture(11.2))


def test_no_two_pictures_have_the_same_noise() -> None:
    scene = load_scene("yard")
    pair = [scene.picture(index, shown_at=AT).astype(int) for index in (0, 1)]
    differences = np.abs(pair[0] - pair[1])
    assert 0.5 < differences.mean() < 4.0
    assert differences.max() < 30


def test_the_clock_in_the_picture_runs() -> None:
    one, other = picture(0.0), picture(0.0, at=AT + timedelta(seconds=1))
    changed_rows = np.nonzero((one != other).any(axis=(1, 2)))[0]
    assert changed_rows.size > 0
    assert changed_rows.max() < 30


def test_actors_stand_out_from_the_empty_yard() -> None:
    """Every actor changes the picture inside its true box, and somebody alone changes little else.

    The detectors of the demo and the tests rely on the first, the truth on the second.
    """
    empty = picture(0.0).astype(int)
    for t_s in (11.52, 24.0, 46.0):
        changed = (np.abs(picture(t_s).astype(int) - empty) > 24).any(axis=2)
        for thing in yard_truth(t_s):
            left, right = (round(thing.box[side] * 640) for side in (0, 2))
            top, bottom = (round(thing.box[side] * 360) for side in (1, 3))
            assert changed[top:bottom, left:right].mean() > 0.25, thing.object_id


def test_the_fence_stays_visible_in_front_of_a_car_on_the_street() -> None:
    """At 26.2 s the car drives behind the fence, right of the gate."""
    [car] = [thing for thing in yard_truth(26.24) if thing.label == "car"]
    left, right = (round(car.box[side] * 640) for side in (0, 2))
    top, bottom = (round(car.box[side] * 360) for side in (1, 3))
    part = (slice(top, bottom), slice(left, right))
    differences = np.abs(picture(26.24)[part].astype(int) - picture(0.0)[part].astype(int))
    unchanged_columns = (differences.max(axis=2) < 25).mean(axis=0)
    assert (unchanged_columns > 0.9).any()
