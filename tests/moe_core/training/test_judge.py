"""Judged by the world: what is measured of a ghost or of the wrong thing is not true."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.incidents import Incident
from contracts.tracks import Track
from moe_core.checkers.case import Case
from moe_core.claims import COULD_BE, MEETS_RULE
from moe_core.core_chain import drafted
from moe_core.training.judge import Judge
from moe_core.training.world.truth import Truth
from tests.fakes.bodies import LYING, STANDING, stays
from tests.fakes.builders import track
from tests.fakes.fall_incidents import fall_incident
from tests.fakes.incidents import WALK_IN
from tests.moe_core.checking import LINE, LOITER, NEAR, PAIR, ZONE
from tests.moe_core.cores import DIM
from tests.moe_core.training.samples import owner_of, truth_about

ABOUT_THE_PICTURE = {"hour", "alone", "not_light_change", "not_camera_movement"}
FALLEN = fall_incident(stays((STANDING, 2.0), (LYING, 4.0)), down_s=3.0)


def judged(incident: Incident, truth: Truth) -> dict[str, bool]:
    draft = drafted(Case(incident))
    return {
        claim.predicate: is_true
        for claim, is_true in zip(draft, Judge(incident, truth).judge(draft), strict=True)
    }


def untrue(incident: Incident, truth: Truth) -> set[str]:
    return {name for name, is_true in judged(incident, truth).items() if not is_true}


def follows(incident: Incident, *objects: Track) -> Truth:
    """The truth in which the first track follows the first of these objects."""
    own = incident.tracks[0].track_id
    return truth_about(incident, objects=objects, owners={own: objects[0].track_id})


def shown(points: Sequence[int]) -> Track:
    """The true object of ``ZONE``, in view in these frames only."""
    own = owner_of(ZONE.tracks[0])
    return replace(own, points=tuple(own.points[index] for index in points))


def been_there(seconds: float) -> Track:
    """The true object of ``ZONE``, in view for so long before it was seen."""
    own = owner_of(ZONE.tracks[0])
    first = own.points[0]
    earlier = tuple(
        replace(
            first,
            seq=-count,
            monotonic_s=-count / 5,
            captured_at=first.captured_at - timedelta(seconds=count / 5),
        )
        for count in range(int(5 * seconds), 0, -1)
    )
    return replace(own, points=(*earlier, *own.points))


@pytest.mark.parametrize("incident", [ZONE, LINE, LOITER, NEAR, DIM])
def test_what_is_measured_exactly_of_what_really_happened_is_true(incident: Incident) -> None:
    assert untrue(incident, truth_about(incident)) == set()


@pytest.mark.parametrize("incident", [ZONE, LINE, LOITER, NEAR])
def test_of_what_did_not_happen_the_statement_and_its_hypothesis_are_untrue(
    incident: Incident,
) -> None:
    found = untrue(incident, truth_about(incident, is_real=False))

    assert MEETS_RULE in found
    assert len(found) == 2
    assert any(name.startswith("is_") for name in found)


def test_nothing_that_rests_on_a_ghost_is_true() -> None:
    ghost = truth_about(ZONE, objects=(), owners={"t1": ""}, is_real=False)
    true = {name for name, is_true in judged(ZONE, ghost).items() if is_true}

    assert true == ABOUT_THE_PICTURE


def test_a_thing_taken_for_a_person_is_no_person() -> None:
    dog = replace(owner_of(ZONE.tracks[0]), label="dog")

    assert untrue(ZONE, follows(ZONE, dog)) == {"present", "not_wrong_object"}


def test_a_track_of_somebody_who_was_elsewhere_was_measured_wrongly() -> None:
    away = owner_of(track([(0.9 - 0.02 * index, 0.3) for index in range(len(WALK_IN))]))

    found = untrue(ZONE, follows(ZONE, away))

    assert {"entered_from", "inside"} <= found
    assert not found & ABOUT_THE_PICTURE


def test_who_was_in_view_for_half_of_the_time_was_not_there_for_all_of_it() -> None:
    half = shown(range(len(WALK_IN) // 2, len(WALK_IN)))

    assert "present" in untrue(ZONE, follows(ZONE, half))
    assert "present" not in untrue(ZONE, follows(ZONE, shown(range(3, len(WALK_IN)))))


@pytest.mark.parametrize(
    ("seconds", "is_true"),
    [
        pytest.param(1.0, True, id="seen a second late"),
        pytest.param(5.0, False, id="had been in view for long"),
    ],
)
def test_who_had_been_in_view_for_long_did_not_just_come_in(seconds: float, is_true: bool) -> None:
    assert judged(ZONE, follows(ZONE, been_there(seconds)))["entered_from"] is is_true


def other(*, at: Sequence[int]) -> Track:
    """Another object, in view in these frames."""
    far = owner_of(track([(0.2, 0.9)] * len(WALK_IN)), "o2")
    return replace(far, points=tuple(far.points[index] for index in at))


def test_others_are_counted_when_it_was_decided() -> None:
    own, last = owner_of(PAIR.tracks[0]), len(WALK_IN) - 1

    assert judged(PAIR, follows(PAIR, own, other(at=range(last + 1))))["others_present"]
    assert not judged(PAIR, follows(PAIR, own))["others_present"]
    assert not judged(PAIR, follows(PAIR, own, other(at=range(5))))["others_present"]


def test_who_is_alone_shares_the_picture_with_nobody_by_then() -> None:
    own, last = owner_of(ZONE.tracks[0]), len(WALK_IN) - 1

    assert not judged(ZONE, follows(ZONE, own, other(at=[last])))["alone"]
    assert judged(ZONE, follows(ZONE, own, other(at=range(5))))["alone"]


def test_a_benign_cause_is_as_true_as_what_speaks_for_it() -> None:
    found = judged(DIM, truth_about(DIM))

    assert found["perhaps_light_change"]
    assert found[COULD_BE]


def test_who_lay_down_came_down_but_did_not_fall() -> None:
    """How far is measured of the true body; whether that was a fall is another question."""
    real = judged(FALLEN, truth_about(FALLEN))
    played = judged(FALLEN, truth_about(FALLEN, is_real=False))

    assert real["came_down"]
    assert real["is_fall"]
    assert played["came_down"]
    assert not played["is_fall"]
    assert not played["down"]


def test_a_claim_is_judged_the_same_wherever_it_stands() -> None:
    draft = drafted(Case(DIM))
    judge = Judge(DIM, truth_about(DIM, is_real=False))

    assert judge.judge(draft[::-1]) == judge.judge(draft)[::-1]
