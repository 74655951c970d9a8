"""The cue on drawn pictures: a dark figure in a room, and finds as a detector would give them."""

from collections.abc import Sequence

import numpy as np
import pytest

from contracts.detections import ANY_LABEL, Detections
from contracts.geometry import Box
from contracts.tracks import TrackState
from tests.fakes.bodies import BENT, LYING, MODELS, SITTING, STANDING, moved, stays
from tests.vision.cues.test_recent_pictures import picture
from vision.cues.bodies import BodyCue
from vision.cues.body import Body
from vision.cues.port import Cues, Glimpse
from vision.motion_gate import Motion

MOTION = Motion(share=0.1, light_change=0.0, is_moving=True)
Finds = Sequence[tuple[Box, float]]


def found(finds: Finds, *, label: str = "person") -> Detections:
    return Detections(
        boxes_N4=np.array([box for box, _ in finds], np.float32).reshape(-1, 4),
        confidences_N=np.array([confidence for _, confidence in finds], np.float32),
        class_ids_N=np.zeros(len(finds), np.int64),
        labels=(label,),
    )


def play(
    script: Sequence[tuple[float, Sequence[Box], Finds | None]], *, label: str = "person"
) -> list[tuple[Body, ...]]:
    """What the cue says of each frame: what is drawn, and what is found (None: nobody looked)."""
    cue = BodyCue(MODELS)
    said = []
    for at_s, drawn, finds in script:
        small = picture(at_s, *drawn)
        said.append(
            cue.look(
                Glimpse(
                    small=small,
                    picture=None if finds is None else small,
                    motion=MOTION,
                    detections=None if finds is None else found(finds, label=label),
                    tracks=(),
                )
            )
        )
    return said


def falls(*, sure: float = 0.3) -> list[tuple[float, Sequence[Box], Finds | None]]:
    """Somebody falls; the detector is sure of people upright only."""
    return [
        (at_s, [box], [(box, 0.9 if box == STANDING else sure)])
        for at_s, box in stays((STANDING, 2.0), (BENT, 0.4), (LYING, 3.0))
        if box is not None
    ]


def down(said: Sequence[tuple[Body, ...]]) -> set[str]:
    return {body.track.track_id for bodies in said for body in bodies if body.is_down}


def test_follows_on_finds_that_the_detector_does_not_stand_by() -> None:
    said = play(falls(sure=0.15))

    [body] = said[-1]
    assert body.is_down
    assert body.track.last.box == pytest.approx(LYING)
    assert body.track.first_seen_s == 0
    assert [len(bodies) for bodies in said] == [1] * len(said)


def test_what_the_detector_guessed_counts_although_it_stood_by_nothing() -> None:
    cue = BodyCue(MODELS)
    said: list[tuple[Body, ...]] = []
    for at_s, drawn, finds in falls():
        small = picture(at_s, *drawn)
        nothing = found([])
        guessed = Detections(
            **{
                **{name: getattr(nothing, name) for name in ("boxes_N4", "confidences_N")},
                "class_ids_N": nothing.class_ids_N,
                "labels": nothing.labels,
                "guesses": found(finds or []),
            }
        )
        said.append(
            cue.look(
                Glimpse(small=small, picture=small, motion=MOTION, detections=guessed, tracks=())
            )
        )

    assert said[-1][0].is_down


def test_a_body_that_is_not_found_lying_is_found_by_what_came_to_lie_there() -> None:
    way = stays((STANDING, 2.0), (BENT, 0.4), (moved(LYING, by=(0.18, 0.0)), 4.0))
    script = [
        (at_s, [box], [(box, 0.9)] if box in (STANDING, BENT) else [])
        for at_s, box in way
        if box is not None
    ]

    [body] = play(script)[-1]

    assert body.is_down
    assert body.track.last.confidence == 0
    assert body.track.last.is_observed
    assert body.track.last.box[1] > 0.5


def test_a_lost_box_of_somebody_who_still_stands_is_no_descent() -> None:
    script: list[tuple[float, Sequence[Box], Finds | None]] = [
        (at_s, [STANDING], [(STANDING, 0.9)] if at_s < 2 else [])
        for at_s, _ in stays((STANDING, 3.6))
    ]

    assert down(play(script)) == set()


def test_a_stool_beside_the_body_is_not_taken_for_it() -> None:
    stool: Box = (0.52, 0.55, 0.62, 0.7)
    script: list[tuple[float, Sequence[Box], Finds | None]] = [
        (at_s, [STANDING, stool] if at_s < 2 else [stool],
         [(STANDING, 0.9)] if at_s < 2 else [(stool, 0.3)])
        for at_s, _ in stays((STANDING, 4.0))
    ]  # fmt: skip

    said = play(script)

    assert down(said) == set()
    lefts = [body.track.last.box[0] for bodies in said for body in bodies]
    assert lefts == pytest.approx([STANDING[0]] * len(lefts))


def test_an_arm_of_somebody_who_stands_never_falls() -> None:
    arm: Box = (0.41, 0.3, 0.45, 0.42)
    low: Box = (0.4, 0.62, 0.49, 0.69)
    script: list[tuple[float, Sequence[Box], Finds | None]] = [
        (at_s, [STANDING], [(STANDING, 0.9), (arm if at_s < 2 else low, 0.6)])
        for at_s, _ in stays((STANDING, 4.0))
    ]

    assert down(play(script)) == set()


def test_a_dog_that_comes_in_where_somebody_went_out_is_not_he() -> None:
    leaving: Box = (0.9, 0.2, 1.0, 0.7)
    dog: Box = (0.74, 0.55, 0.96, 0.72)
    walk: list[tuple[float, Sequence[Box], Finds | None]] = [
        (index / 5, [box], [(box, 0.9)])
        for index, box in enumerate([(0.78, 0.2, 0.88, 0.7), (0.84, 0.2, 0.94, 0.7), leaving])
    ]
    gone: list[tuple[float, Sequence[Box], Finds | None]] = [(0.6, [], []), (0.8, [], [])]
    comes: list[tuple[float, Sequence[Box], Finds | None]] = [
        (1.0 + index / 5, [dog], [(dog, 0.4)]) for index in range(12)
    ]

    assert not down(play([*walk, *gone, *comes]))


def comes_from_the_right(*, at_s: float, then: Box, for_s: float) -> list[tuple[float, Box]]:
    """Somebody who walks to the left, stands whole at ``at_s`` for the last time, and what then."""
    whole = [
        (at_s - steps / 5, (0.3 + 0.04 * steps, 0.2, 0.4 + 0.04 * steps, 0.7))
        for steps in range(5, -1, -1)
    ]
    return [*whole, *((at_s + (step + 1) / 5, then) for step in range(round(5 * for_s)))]


@pytest.mark.parametrize(
    ("then", "for_s", "falls"),
    [
        pytest.param((0.3, 0.58, 0.38, 0.7), 0.4, False, id="a leg looks out from behind a wall"),
        pytest.param((0.3, 0.58, 0.5, 0.7), 3.0, True, id="falls there"),
    ],
)
def test_people_who_go_behind_a_wall_one_after_another_did_not_fall(
    then: Box, for_s: float, falls: bool
) -> None:
    """Where one vanished the other had stood, in both pictures that it is compared with."""
    one = comes_from_the_right(at_s=2.0, then=(0.3, 0.58, 0.38, 0.7), for_s=0.4)
    other = comes_from_the_right(at_s=4.4, then=then, for_s=for_s)
    at = {round(5 * at_s): box for at_s, box in (*one, *other)}
    script: list[tuple[float, Sequence[Box], Finds | None]] = []
    for frame in range(40):
        box = at.get(frame)
        finds = [] if box is None else [(box, 0.9 if box[1] < 0.5 else 0.2)]
        script.append((frame / 5, [] if box is None else [box], finds))

    assert bool(down(play(script))) is falls


def test_who_sits_down_is_followed_and_not_down() -> None:
    way = stays((STANDING, 2.0), (SITTING, 4.0))
    said = play([(at_s, [box], [(box, 0.9)]) for at_s, box in way if box is not None])

    assert down(said) == set()
    assert len(said[-1]) == 1


def test_two_people_are_two_bodies_and_one_falls() -> None:
    other = moved(STANDING, by=(0.3, 0.0))
    said = play(
        [(at_s, [*drawn, other], [*(finds or []), (other, 0.9)]) for at_s, drawn, finds in falls()]
    )

    assert len(said[-1]) == 2
    assert len(down(said)) == 1


def test_while_nobody_looks_whoever_is_down_stays_down() -> None:
    quiet: list[tuple[float, Sequence[Box], Finds | None]] = [
        (5.4 + index / 5, [LYING], None) for index in range(30)
    ]

    said = play([*falls(), *quiet])

    assert all(bodies[0].is_down and bodies[0].track.last.is_observed for bodies in said[-20:])
    descent = said[-1][0].descent
    assert descent is not None
    assert descent.down_s > 8


def test_who_gets_up_is_no_longer_down_but_is_still_told_of() -> None:
    kneeling: Box = (0.38, 0.42, 0.52, 0.72)
    up: list[tuple[float, Sequence[Box], Finds | None]] = [
        (5.4 + index / 5, [box], [(box, 0.9)])
        for index, box in enumerate([kneeling, kneeling, *[STANDING] * 10])
    ]

    [body] = play([*falls(), *up])[-1]

    assert not body.is_down
    assert body.has_fallen
    assert list(Cues(bodies=(body,)).regions()) == [body.track]


def test_whoever_is_carried_away_is_told_of_once_more() -> None:
    empty: list[tuple[float, Sequence[Box], Finds | None]] = [
        (5.4 + index / 5, [], []) for index in range(20)
    ]

    said = play([*falls(), *empty])

    [last] = [body for bodies in said for body in bodies if body.track.state is TrackState.ENDED]
    assert last.has_fallen
    assert said[-1] == ()


def test_another_view_ends_all_bodies() -> None:
    script = falls()
    half_covered: tuple[float, Sequence[Box], Finds] = (5.4, [(0.0, 0.0, 0.6, 1.0)], [])

    said = play([*script, half_covered])

    assert [body.track.state for body in said[-1]] == [TrackState.ENDED]


def test_ids_begin_as_regions_do_and_are_never_used_twice() -> None:
    other = moved(STANDING, by=(0.3, 0.0))
    gap: list[tuple[float, Sequence[Box], Finds | None]] = [
        (1.0 + index / 5, [], []) for index in range(15)
    ]
    again: list[tuple[float, Sequence[Box], Finds | None]] = [(4.0, [STANDING], [(STANDING, 0.9)])]

    said = play([(0.8, [STANDING, other], [(STANDING, 0.9), (other, 0.8)]), *gap, *again])

    assert [body.track.track_id for body in said[0]] == ["rb800", "rb800-2"]
    assert [body.track.track_id for body in said[-1]] == ["rb4000"]
    assert all(body.track.is_region for bodies in said for body in bodies)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param((float("nan"), 0.2, 0.5, 0.7), id="no number"),
        pytest.param((0.5, 0.2, 0.4, 0.7), id="inside out"),
        pytest.param((0.4, 0.2, 0.4, 0.7), id="without a width"),
    ],
)
def test_boxes_that_are_none_begin_no_body(bad: Box) -> None:
    assert play([(0.0, [], [(bad, 0.9)])]) == [()]


def test_a_detector_that_knows_no_classes_gives_no_bodies() -> None:
    assert down(play(falls(), label=ANY_LABEL)) == set()
