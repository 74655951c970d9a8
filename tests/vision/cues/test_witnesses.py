import pytest

from contracts.geometry import Box
from contracts.tracks import Track
from tests.fakes.tracks import followed
from tests.vision.trajectories import detections
from vision.cues.witnesses import Witnesses, bodies_in

PLACE: Box = (0.4, 0.4, 0.6, 0.8)
IN_IT: Box = (0.42, 0.45, 0.48, 0.75)
BESIDE: Box = (0.05, 0.45, 0.12, 0.75)


def saw(*boxes: Box, label: str = "person", confidence: float = 0.6, looks: int = 3) -> Witnesses:
    witnesses = Witnesses()
    for _ in range(looks):
        witnesses.look(detections(*boxes, label=label, confidence=confidence))
    return witnesses


def body(name: str, x: float) -> Track:
    return followed([(1.8, (x, 0.8)), (2.0, (x, 0.8))], track_id=name)


def test_people_who_were_seen_there_are_witnessed() -> None:
    assert saw(IN_IT).saw_people(PLACE, [], at_s=2.0)


def test_nobody_is_witnessed_where_nobody_was_seen() -> None:
    assert not saw().saw_people(PLACE, [], at_s=2.0)
    assert not saw(BESIDE).saw_people(PLACE, [], at_s=2.0)


@pytest.mark.parametrize(("confidence", "witnessed"), [(0.2, True), (0.15, False)])
def test_weak_finds_add_up(confidence: float, witnessed: bool) -> None:
    assert saw(IN_IT, confidence=confidence).saw_people(PLACE, [], at_s=2.0) is witnessed


def test_what_was_seen_is_forgotten_after_two_seconds() -> None:
    witnesses = saw(IN_IT)
    for _ in range(10):
        witnesses.look(None)

    assert not witnesses.saw_people(PLACE, [], at_s=4.0)


def test_who_was_seen_a_moment_ago_is_still_there() -> None:
    witnesses = saw(IN_IT)
    assert witnesses.saw_people(PLACE, [], at_s=2.0)
    for _ in range(10):
        witnesses.look(None)

    assert witnesses.saw_people(PLACE, [], at_s=2.4)
    assert not witnesses.saw_people(BESIDE, [], at_s=2.4)
    assert not witnesses.saw_people(PLACE, [], at_s=2.6)


def test_traffic_is_no_fight() -> None:
    witnesses = saw(IN_IT, confidence=0.5)
    for _ in range(4):
        witnesses.look(detections(PLACE, label="car", confidence=0.9))

    assert not witnesses.saw_people(PLACE, [], at_s=2.0)


def test_one_body_that_is_all_that_stirs_is_alone() -> None:
    place: Box = (0.475, 0.62, 0.525, 0.8)
    found: Box = (0.475, 0.6, 0.525, 0.8)

    assert not saw(found).saw_people(place, [body("t1", 0.5)], at_s=2.0)
    assert saw(found).saw_people(place, [body("t1", 0.5), body("t2", 0.51)], at_s=2.0)


def test_small_figures_do_not_stir_half_the_picture() -> None:
    """An escalator moves from top to bottom of the picture, whoever stands on it."""
    assert not saw(IN_IT, confidence=0.9).saw_people((0.3, 0.0, 0.9, 1.0), [], at_s=2.0)


def test_bodies_count_while_they_were_seen_lately_in_the_place() -> None:
    there, gone, beside = body("t1", 0.5), body("t2", 0.45), body("t3", 0.1)

    assert bodies_in(PLACE, [there, beside], at_s=2.5) == [there]
    assert bodies_in(PLACE, [gone], at_s=3.5) == []


def walking(
    name: str, *, start: float, pace: float, seconds: float = 2.0, until: float = 2.0
) -> Track:
    """Somebody who goes across the picture, ``pace`` widths of it per second."""
    steps = round(seconds * 5)
    return followed(
        [(until - (steps - k) / 5, (start + pace * k / 5, 0.8)) for k in range(steps + 1)],
        track_id=name,
    )


def jumping(name: str, *, start: float, pace: float) -> Track:
    """Somebody who walks, and whose box is for a moment around somebody else too."""
    return followed(
        [(0.2 * k, (start + pace * k / 5 + 0.05 * (k == 5), 0.8)) for k in range(11)],
        track_id=name,
    )


def standing(name: str, *, at: float) -> Track:
    return followed([(0.2 * k, (at + 0.001 * k, 0.8)) for k in range(11)], track_id=name)


def swaying(name: str, *, at: float) -> Track:
    return followed([(0.2 * k, (at + 0.02 * (k % 2), 0.8)) for k in range(11)], track_id=name)


@pytest.mark.parametrize(
    ("others", "witnessed"),
    [
        pytest.param([walking("t2", start=0.6, pace=-0.1)], False, id="two who meet"),
        pytest.param([swaying("t2", at=0.5)], True, id="one passes somebody who struggles"),
        pytest.param(
            [swaying("t2", at=0.5), swaying("t3", at=0.45)], True, id="one passes a fight"
        ),
        pytest.param(
            [walking("t2", start=0.6, pace=-0.1), swaying("t3", at=0.5)], False, id="one waits"
        ),
        pytest.param([walking("t2", start=0.5, pace=-0.01)], True, id="hardly moves"),
        pytest.param(
            [walking("t2", start=0.6, pace=-0.1), swaying("t3", at=0.5), standing("t4", at=0.45)],
            False,
            id="one waits, and one was followed badly",
        ),
        pytest.param(
            [walking("t2", start=0.6, pace=-0.1), swaying("t3", at=0.5), swaying("t4", at=0.45)],
            True,
            id="two pass two who struggle",
        ),
        pytest.param([jumping("t2", start=0.6, pace=-0.1)], False, id="one box was around both"),
        pytest.param([walking("t2", start=0.6, pace=-0.1, until=0.6)], False, id="went out"),
        pytest.param(
            [walking("t2", start=0.6, pace=-0.1, until=-0.2)], True, id="went out long ago"
        ),
        pytest.param(
            [walking("t2", start=0.5, pace=-0.1, seconds=0.6)], True, id="known too short"
        ),
    ],
)
def test_people_who_walk_straight_through_do_not_fight(
    others: list[Track], witnessed: bool
) -> None:
    tracks = [walking("t1", start=0.35, pace=0.1), *others]

    assert saw(IN_IT).saw_people(PLACE, tracks, at_s=2.0) is witnessed


def test_who_was_seen_in_a_corner_is_no_witness_of_a_crowd_that_walks_straight_through() -> None:
    """Somebody comes in at the left, not known yet; then what stirs is one with all others."""
    crowd = [walking("t1", start=0.35, pace=0.1), walking("t2", start=0.6, pace=-0.1)]
    tracks = [*crowd, walking("t3", start=0.05, pace=0.1, seconds=0.4)]
    corner: Box = (0.0, 0.4, 0.16, 0.8)
    witnesses = saw(IN_IT, (0.05, 0.45, 0.12, 0.75))

    assert witnesses.saw_people(corner, tracks, at_s=2.0)
    assert not witnesses.saw_people((0.0, 0.4, 0.6, 0.8), tracks, at_s=2.0)
    assert witnesses.saw_people((0.0, 0.4, 0.3, 0.8), tracks, at_s=2.0)
