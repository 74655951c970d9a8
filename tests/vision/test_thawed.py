from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from contracts.codec import decode, encode
from contracts.tracks import Track, TrackPoint, TrackState
from tests.fakes.clock import START
from vision.thawed import thawed

POINT: dict[str, Any] = {
    "seq": 3, "monotonic_s": 0.6, "captured_at": START, "box": (0.1, 0.2, 0.3, 0.4),
    "confidence": 0.9, "is_observed": True,
}  # fmt: skip
made = thawed(TrackPoint)(**POINT)


def test_makes_what_the_frozen_class_makes() -> None:
    usual = TrackPoint(**POINT)

    assert type(made) is TrackPoint
    assert made == usual
    assert hash(made) == hash(usual)
    assert repr(made) == repr(usual)
    assert decode(encode(made), TrackPoint) == usual


def test_takes_values_in_the_order_of_the_fields() -> None:
    assert thawed(TrackPoint)(*POINT.values()) == made


def test_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        made.seq = 4  # type: ignore[misc]  # what is tested

    assert replace(made, seq=4).seq == 4


def test_knows_defaults_and_asks_for_the_rest() -> None:
    assert made.postures == ()
    with pytest.raises(TypeError, match="box"):
        thawed(TrackPoint)(**{name: value for name, value in POINT.items() if name != "box"})


def test_has_every_field_of_a_track() -> None:
    values: dict[str, Any] = {
        "track_id": "t1", "camera_id": "cam", "run_id": "run1", "label": "person",
        "label_confidence": 1.0, "state": TrackState.LOST, "points": (made,), "hits": 1,
        "misses": 0, "first_seen_at": START, "first_seen_s": 0.6,
    }  # fmt: skip

    track = thawed(Track)(**values)

    assert track == Track(**values)
    assert {each.name for each in fields(track)} == {*values, "is_region"}
    assert track.age_s == 0.0
