"""Line crossing: direction, hysteresis, interpolation, ends of the line."""

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.detections import ANY_LABEL
from contracts.errors import ConfigError
from contracts.geometry import Box, Line, Point
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import TrackState
from tests.fakes.tracks import followed, header_at, observed, play
from vision.rules.line_cross import LineCrossRule

UPWARDS = Line(line_id="gate", points=((0.5, 0.9), (0.5, 0.3)))
"""Walked from bottom to top, so left is the picture's left."""
LEFT_OF_IT: Point = (0.3, 0.6)
RIGHT_OF_IT: Point = (0.7, 0.6)


def rule(*, line: Line = UPWARDS, **params: float | str) -> LineCrossRule:
    return LineCrossRule(
        RuleSettings(rule_id="cross", kind=RuleKind.LINE_CROSS, line_id="gate", params=params),
        line=line,
    )


def boxed(watch: LineCrossRule, boxes: list[Box], *, label: str) -> list[RuleEvent]:
    """Show somebody in these boxes, 0.2 s apart, and return what is told."""
    whole = followed([(0.2 * step, LEFT_OF_IT) for step in range(len(boxes))], label=label)
    points = [replace(point, box=box) for point, box in zip(whole.points, boxes, strict=True)]
    events = []
    for count in range(1, len(boxes) + 1):
        track = replace(whole, points=tuple(points[:count]))
        events += watch.update(observed([track], header_at(track.last.monotonic_s)))
    return events


def directions(events: list[RuleEvent]) -> list[str]:
    return [event.detail["direction"] for event in events]


def test_a_crossing_fires_once_with_direction_and_interpolated_time() -> None:
    [event] = play(
        rule(), [(0.0, LEFT_OF_IT), (0.2, (0.45, 0.6)), (0.4, (0.6, 0.6)), (0.6, (0.8, 0.6))]
    )

    assert event.detail == {"direction": "right"}
    assert event.since_s == pytest.approx(0.2 + 0.2 / 3)
    assert (event.since_at - event.at).total_seconds() == pytest.approx(
        event.since_s - 0.4, abs=1e-5
    )
    assert event.value == pytest.approx(0.1)
    assert event.threshold == 0.01


@pytest.mark.parametrize(
    ("label", "box", "expected"),
    [
        (ANY_LABEL, (0.65, 0.2, 0.75, 0.6), []),
        (ANY_LABEL, (0.65, 0.4, 0.75, 0.6), ["right"]),
        (ANY_LABEL, (0.3, 0.2, 0.8, 0.6), ["right"]),
        ("person", (0.65, 0.2, 0.75, 0.6), ["right"]),
    ],
    ids=["another size elsewhere", "as tall", "grown where it was", "somebody who is known"],
)
def test_a_body_that_goes_on_as_another_one_has_crossed_nothing(
    label: str, box: Box, expected: list[str]
) -> None:
    """A screen on the wall that is lost, and somebody who is taken for it beyond the line."""
    boxes = [(0.25, 0.45, 0.35, 0.6)] * 3 + [box] * 3

    assert directions(boxed(rule(), boxes, label=label)) == expected


ACROSS = Line(line_id="gate", points=((0.1, 0.6), (0.9, 0.6)))
BESIDE = Line(line_id="gate", points=((0.5, 0.1), (0.5, 0.9)))


@pytest.mark.parametrize(
    ("line", "label", "top", "count"),
    [
        pytest.param(ACROSS, ANY_LABEL, 0.3, 0, id="only its foot came and went"),
        pytest.param(ACROSS, "person", 0.3, 1, id="a detector's foot is a foot"),
        pytest.param(BESIDE, ANY_LABEL, 0.3, 1, id="it walked past all the same"),
        pytest.param(ACROSS, ANY_LABEL, 0.005, 1, id="a car that drives out at the top"),
    ],
)
def test_a_foot_that_is_lost_has_crossed_nothing(
    line: Line, label: str, top: float, count: int
) -> None:
    """A car and its beam on the ground were one body for two seconds, then the car was alone."""
    boxes = [
        (0.275 + 0.05 * step, top, 0.375 + 0.05 * step, 0.8 if step < 4 else 0.45)
        for step in range(8)
    ]

    assert len(boxed(rule(line=line), boxes, label=label)) == count


@pytest.mark.parametrize(
    ("beyond", "count"),
    [
        pytest.param(1, 0, id="whole again at the next look"),
        pytest.param(2, 0, id="and at the one after"),
        pytest.param(3, 1, id="stays beyond"),
    ],
)
def test_somebody_whose_foot_jumps_over_the_line_must_stay_beyond(beyond: int, count: int) -> None:
    """His coat was like the wall: what was found of him was his head, as high as the line."""
    feet = [0.4 if 4 <= step < 4 + beyond else 0.8 for step in range(8)]
    boxes = [(0.25 + 0.05 * step, 0.3, 0.3 + 0.05 * step, y) for step, y in enumerate(feet)]

    assert len(boxed(rule(line=ACROSS), boxes, label="person")) == count


def test_a_crossing_by_a_jump_was_when_the_foot_jumped() -> None:
    boxes = [(0.25, 0.3, 0.3, 0.8 if step < 4 else 0.4) for step in range(8)]

    [event] = boxed(rule(line=ACROSS), boxes, label="person")

    assert event.monotonic_s == pytest.approx(1.2)
    assert event.since_s == pytest.approx(0.7)


def test_the_way_back_is_a_crossing_to_the_other_side() -> None:
    feet = [(0.0, LEFT_OF_IT), (1.0, RIGHT_OF_IT), (2.0, LEFT_OF_IT)]

    assert directions(play(rule(), feet)) == ["right", "left"]


def test_left_and_right_are_as_seen_walking_from_the_first_point_to_the_last() -> None:
    downwards = Line(line_id="gate", points=((0.5, 0.3), (0.5, 0.9)))

    assert directions(play(rule(line=downwards), [(0.0, LEFT_OF_IT), (1.0, RIGHT_OF_IT)])) == [
        "left"
    ]


@pytest.mark.parametrize(("watched", "seen"), [("left", ["left"]), ("right", ["right"])])
def test_only_the_watched_direction_fires(watched: str, seen: list[str]) -> None:
    feet = [(0.0, LEFT_OF_IT), (1.0, RIGHT_OF_IT), (2.0, LEFT_OF_IT)]

    assert directions(play(rule(direction=watched), feet)) == seen


def test_coming_near_is_no_crossing() -> None:
    assert play(rule(), [(0.0, LEFT_OF_IT), (1.0, (0.499, 0.6)), (2.0, LEFT_OF_IT)]) == []


def test_walking_around_the_end_of_the_line_is_no_crossing() -> None:
    feet = [(0.0, LEFT_OF_IT), (1.0, (0.3, 0.2)), (2.0, (0.7, 0.2)), (3.0, RIGHT_OF_IT)]

    assert play(rule(), feet) == []


def test_dithering_on_the_line_is_one_crossing_once_it_is_clear() -> None:
    jitter = [(0.2 * step, (0.5 + 0.004 * (-1) ** step, 0.6)) for step in range(1, 30)]

    over = play(rule(), [(0.0, LEFT_OF_IT), *jitter, (7.0, RIGHT_OF_IT)])
    back = play(rule(), [(0.0, LEFT_OF_IT), *jitter, (7.0, LEFT_OF_IT)])

    assert directions(over) == ["right"]
    assert back == []


def test_the_crossing_waits_until_the_foot_stands_clear() -> None:
    feet = [(0.0, LEFT_OF_IT), (0.2, (0.505, 0.6)), (0.4, (0.52, 0.6))]

    [event] = play(rule(hysteresis=0.01), feet)

    assert event.monotonic_s == 0.4
    assert event.since_s < 0.2


def test_who_appears_on_the_line_has_crossed_nothing() -> None:
    assert play(rule(), [(0.0, (0.498, 0.6)), (0.2, RIGHT_OF_IT)]) == []


def test_a_step_through_a_corner_of_the_line_is_one_crossing() -> None:
    bent = Line(line_id="gate", points=((0.5, 0.9), (0.5, 0.6), (0.5, 0.3)))

    assert directions(play(rule(line=bent), [(0.0, LEFT_OF_IT), (1.0, RIGHT_OF_IT)])) == ["right"]


def test_through_both_arms_of_a_wedge_is_no_change_of_side() -> None:
    wedge = Line(line_id="gate", points=((0.4, 0.9), (0.5, 0.3), (0.6, 0.9)))

    assert play(rule(line=wedge), [(0.0, (0.2, 0.6)), (1.0, (0.8, 0.6))]) == []


def test_what_crosses_before_it_is_confirmed_is_reported_when_it_is() -> None:
    cross = rule()
    feet = [(0.0, LEFT_OF_IT), (0.2, RIGHT_OF_IT), (0.4, (0.9, 0.6))]
    tentative = followed(feet[:2], state=TrackState.TENTATIVE)
    assert cross.update(observed([tentative], header_at(0.2))) == []

    [event] = cross.update(observed([followed(feet)], header_at(0.4)))

    assert event.since_s == pytest.approx(0.1)
    assert event.monotonic_s == 0.4


def test_two_tracks_cross_once_each() -> None:
    cross = rule()
    there, back = [LEFT_OF_IT, RIGHT_OF_IT], [RIGHT_OF_IT, LEFT_OF_IT]
    events = [
        event
        for index in (1, 2)
        for event in cross.update(
            observed(
                [
                    followed([(float(s), there[s]) for s in range(index)], track_id="t1"),
                    followed([(float(s), back[s]) for s in range(index)], track_id="t2"),
                ],
                header_at(float(index - 1)),
            )
        )
    ]

    assert {event.track_id: event.detail["direction"] for event in events} == {
        "t1": "right",
        "t2": "left",
    }


def test_two_cameras_do_not_share_a_side() -> None:
    gate, yard = rule(), rule()
    play(gate, [(0.0, LEFT_OF_IT)])

    assert play(yard, [(1.0, RIGHT_OF_IT)]) == []


def test_an_ended_track_is_forgotten() -> None:
    cross = rule()
    play(cross, [(0.0, LEFT_OF_IT)])
    cross.update(observed([followed([(0.0, LEFT_OF_IT)], state=TrackState.ENDED)], header_at(0.5)))

    assert play(cross, [(1.0, RIGHT_OF_IT)]) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"direction": "up"}, "direction must be one of both, left, right, got 'up'"),
        ({"hysteresis": 0.0}, "hysteresis must be a number >= 0.0001, got 0"),
        ({"grace": 1.0}, r"unknown parameter\(s\) grace"),
    ],
)
def test_refuses_params_and_names_them(params: dict[str, float | str], message: str) -> None:
    settings = RuleSettings(
        rule_id="cross", kind=RuleKind.LINE_CROSS, line_id="gate", params=params
    )

    with pytest.raises(ConfigError, match=message):
        LineCrossRule(settings, line=UPWARDS)


@given(xs=st.lists(st.floats(0.02, 0.98), min_size=2, max_size=40))
def test_crossings_alternate_and_end_on_the_side_where_the_track_is(xs: list[float]) -> None:
    feet = [(float(index), (x, 0.6)) for index, x in enumerate(xs)]

    said = directions(play(rule(), feet))

    assert all(first != second for first, second in itertools.pairwise(said))
    clear = [x for x in xs if abs(x - 0.5) >= 0.01]
    if said:
        assert said[-1] == ("right" if clear[-1] > 0.5 else "left")
    if clear and abs(xs[0] - 0.5) >= 0.01:
        assert len(said) % 2 == ((clear[0] > 0.5) != (clear[-1] > 0.5))


def test_jitter_alone_never_makes_a_second_crossing() -> None:
    noise = random.Random(7)  # noqa: S311  # a repeatable walk, no secret
    feet = [
        (0.2 * step, (0.2 + 0.004 * step + noise.gauss(0, 0.003), 0.6 + noise.gauss(0, 0.003)))
        for step in range(150)
    ]

    assert directions(play(rule(), feet)) == ["right"]
