"""Every predicate that repeats a measurement: as measured, altered, foreign."""

from dataclasses import replace

import pytest

from contracts.incidents import FactName, Incident
from contracts.reasoning import ClaimStatus
from contracts.rules import RuleKind
from moe_core.claims import PREDICATES, ArgType
from tests.fakes.incidents import situation, together, with_fact
from tests.moe_core.checking import (
    CONTRADICTED,
    FALL,
    FALLEN,
    LINE,
    NEAR,
    PAIR,
    SUPPORTED,
    UNKNOWN,
    UNVERIFIABLE,
    ZONE,
    Args,
    sigma_of,
    status_of,
    value_of,
)


def near_as(name: FactName) -> Incident:
    """``NEAR`` with its distance under another name, of one who left or took something."""
    return replace(
        NEAR,
        facts=tuple(
            replace(fact, name=name, text="person") if fact.name is FactName.NEAR else fact
            for fact in NEAR.facts
        ),
    )


DOER: Args = {"track": "t1", "other": "t2", "who": "person"}
DOINGS = (FactName.LEFT_BY, FactName.OWNER_AWAY, FactName.TAKEN_BY)

MEASURED: dict[str, tuple[Incident, FactName, Args, str]] = {
    "present": (ZONE, FactName.PRESENT, {"track": "t1", "label": "person"}, "seconds"),
    "label": (ZONE, FactName.LABEL_SHARE, {"track": "t1", "label": "person"}, "share"),
    "seen": (ZONE, FactName.HIT_RATIO, {"track": "t1"}, "share"),
    "confident": (ZONE, FactName.CONFIDENCE, {"track": "t1"}, "confidence"),
    "entered_from": (ZONE, FactName.ENTERED_FROM, {"track": "t1", "side": "left"}, "distance"),
    "inside": (ZONE, FactName.INSIDE, {"track": "t1", "zone": "dock"}, "depth"),
    "dwell": (ZONE, FactName.DWELL, {"track": "t1", "zone": "dock"}, "seconds"),
    "crossed": (
        LINE,
        FactName.CROSSED,
        {"track": "t1", "line": "gate", "direction": "left"},
        "step",
    ),
    "path": (ZONE, FactName.PATH_LENGTH, {"track": "t1"}, "length"),
    "displaced": (ZONE, FactName.DISPLACEMENT, {"track": "t1"}, "distance"),
    "speed": (ZONE, FactName.SPEED, {"track": "t1"}, "speed"),
    "area": (ZONE, FactName.BOX_AREA, {"track": "t1"}, "share"),
    "hour": (ZONE, FactName.HOUR, {}, "hour"),
    "others_present": (PAIR, FactName.OTHERS_PRESENT, {"track": "t1"}, "count"),
    "near": (NEAR, FactName.NEAR, {"track": "t1", "other": "t2"}, "distance"),
    **{name.value: (near_as(name), name, DOER, "distance") for name in DOINGS},
    "not_detector_noise": (ZONE, FactName.HIT_RATIO, {"track": "t1"}, "value"),
    "not_light_change": (ZONE, FactName.LIGHT_CHANGE, {}, "value"),
    "not_camera_movement": (ZONE, FactName.FOREGROUND_SHARE, {}, "value"),
    "not_edge_touch": (ZONE, FactName.INSIDE, {"track": "t1", "zone": "dock"}, "value"),
    "not_side_step": (ZONE, FactName.DISPLACEMENT, {"track": "t1"}, "value"),
    "not_brief_glimpse": (ZONE, FactName.PRESENT, {"track": "t1"}, "value"),
    "not_sway": (ZONE, FactName.DISPLACEMENT, {"track": "t1"}, "value"),
    "not_too_small": (ZONE, FactName.BOX_AREA, {"track": "t1"}, "value"),
    "not_wrong_object": (ZONE, FactName.LABEL_SHARE, {"track": "t1", "label": "person"}, "value"),
    "not_weak_detection": (ZONE, FactName.CONFIDENCE, {"track": "t1"}, "value"),
    "came_down": (FALL, FactName.HEAD_DROP, {"track": "rb0"}, "heights"),
    "down": (FALL, FactName.DOWN, {"track": "rb0"}, "seconds"),
    "posture": (FALL, FactName.POSTURE, {"track": "rb0", "posture": "lying"}, "share"),
    "not_sitting_down": (FALL, FactName.HEAD_DROP, {"track": "rb0"}, "value"),
    "not_bending_down": (FALLEN, FactName.DOWN, {"track": "rb0"}, "value"),
    "not_lying_down": (FALL, FactName.FALL_PACE, {"track": "rb0"}, "value"),
    "not_lost_box": (FALL, FactName.HEAD_GONE, {"track": "rb0"}, "value"),
}
"""Predicates that repeat one number: incident, its fact, other arguments, the number's name."""

each_measured = pytest.mark.parametrize("predicate", MEASURED)


def test_these_are_all_that_repeat_one_number() -> None:
    alone = {
        name
        for name, entry in PREDICATES.items()
        if len(entry.numbers) == 1
        and not (entry.cause is not None and entry.name == entry.cause.standing)
    }

    assert alone - set(MEASURED) == {"not_line_touch"}


@each_measured
def test_a_copied_measurement_is_supported(predicate: str) -> None:
    incident, name, args, number = MEASURED[predicate]

    assert status_of(incident, predicate, {**args, number: value_of(incident, name)}) is SUPPORTED


@each_measured
def test_a_number_beyond_the_tolerance_is_contradicted(predicate: str) -> None:
    incident, name, args, number = MEASURED[predicate]
    off = value_of(incident, name) + 2 * sigma_of(incident, name) + 0.01

    assert status_of(incident, predicate, {**args, number: off}) is CONTRADICTED


@each_measured
def test_a_number_within_two_sigma_is_supported(predicate: str) -> None:
    incident, name, args, number = MEASURED[predicate]
    near = value_of(incident, name) + 1.99 * sigma_of(incident, name)

    assert status_of(incident, predicate, {**args, number: near}) is SUPPORTED


@each_measured
def test_a_word_that_was_not_measured_is_contradicted(predicate: str) -> None:
    incident, name, args, number = MEASURED[predicate]
    words = [word for word, kind in PREDICATES[predicate].args.items() if kind is ArgType.WORD]
    for word in words:
        altered: Args = {**args, number: value_of(incident, name), word: "bus"}

        assert status_of(incident, predicate, altered) is CONTRADICTED


@each_measured
def test_what_the_incident_does_not_have_cannot_be_verified(predicate: str) -> None:
    incident, name, args, number = MEASURED[predicate]
    for argument, foreign in (("track", "t9"), ("zone", "moon"), ("line", "moon"), ("other", "t9")):
        if argument not in args:
            continue
        altered: Args = {**args, number: value_of(incident, name), argument: foreign}

        assert status_of(incident, predicate, altered) is UNVERIFIABLE


@each_measured
def test_evidence_about_something_else_cannot_support_a_claim(predicate: str) -> None:
    incident, name, args, number = MEASURED[predicate]
    foreign = with_fact(incident, name, subject="t9")

    assert status_of(foreign, predicate, {**args, number: value_of(incident, name)}) is UNVERIFIABLE


@each_measured
@pytest.mark.parametrize("change", [{"value": float("nan")}, {"sigma": float("inf")}])
def test_a_fact_that_is_no_number_cannot_support_a_claim(
    predicate: str, change: dict[str, float]
) -> None:
    incident, name, args, number = MEASURED[predicate]
    broken = with_fact(incident, name, **change)

    assert status_of(broken, predicate, {**args, number: value_of(incident, name)}) is UNVERIFIABLE


RECOMPUTED = [
    "present",
    "entered_from",
    "inside",
    "dwell",
    "crossed",
    "path",
    "displaced",
    "speed",
    "not_edge_touch",
    "not_sway",
]


@pytest.mark.parametrize("predicate", RECOMPUTED)
def test_a_fact_that_the_track_does_not_show_is_contradicted(predicate: str) -> None:
    """The fact is not merely read back: the track's own points were somewhere else."""
    incident, name, args, number = MEASURED[predicate]
    off = value_of(incident, name) + 5.0
    lying = with_fact(incident, name, value=off, sigma=0.001)

    assert status_of(lying, predicate, {**args, number: off}) is CONTRADICTED


@pytest.mark.parametrize(
    ("predicate", "name", "changes"),
    [
        ("seen", FactName.HIT_RATIO, {"hits": 3, "misses": 18}),
        ("label", FactName.LABEL_SHARE, {"label_confidence": 0.4}),
        ("label", FactName.LABEL_SHARE, {"label": "car"}),
        ("present", FactName.PRESENT, {"label": "car"}),
    ],
)
def test_a_fact_that_the_track_denies_is_contradicted(
    predicate: str, name: FactName, changes: dict[str, object]
) -> None:
    incident, _, args, number = MEASURED[predicate]
    denied = replace(
        incident,
        tracks=(replace(incident.tracks[0], **changes),),  # type: ignore[arg-type]  # any field
    )

    assert status_of(denied, predicate, {**args, number: value_of(incident, name)}) is CONTRADICTED


@pytest.mark.parametrize("predicate", ["dwell", "inside", "displaced", "path"])
def test_a_fact_stands_alone_where_the_points_are_forgotten(predicate: str) -> None:
    incident, name, args, number = MEASURED[predicate]
    [followed] = incident.tracks
    later = replace(followed, points=tuple(replace(p, monotonic_s=500.0) for p in followed.points))

    status = status_of(
        replace(incident, tracks=(later,)), predicate, {**args, number: value_of(incident, name)}
    )

    assert status is SUPPORTED


@pytest.mark.parametrize(("off", "status"), [(0.12, SUPPORTED), (0.121, CONTRADICTED)])
def test_the_tolerance_is_two_sigma_and_no_more(off: float, status: ClaimStatus) -> None:
    seconds = value_of(ZONE, FactName.DWELL) + off

    assert sigma_of(ZONE, FactName.DWELL) == 0.06
    assert status_of(ZONE, "dwell", {"track": "t1", "zone": "dock", "seconds": seconds}) is status


def test_a_track_that_the_incident_no_longer_has_cannot_be_spoken_of() -> None:
    args: Args = {"track": "t1", "zone": "dock", "seconds": value_of(ZONE, FactName.DWELL)}

    assert status_of(replace(ZONE, tracks=()), "dwell", args) is UNVERIFIABLE


def test_alone_is_contradicted_by_company() -> None:
    assert status_of(ZONE, "alone", {"track": "t1"}) is SUPPORTED
    assert status_of(PAIR, "alone", {"track": "t1"}) is CONTRADICTED
    assert status_of(ZONE, "alone", {"track": "t9"}) is UNVERIFIABLE


def test_alone_is_contradicted_by_the_other_tracks_themselves() -> None:
    both = together(situation(), situation(track_id="t2"))

    assert status_of(both, "alone", {"track": "t1"}) is CONTRADICTED


def test_tracks_of_another_run_were_not_there_at_the_time() -> None:
    """Stream time and frame numbers begin anew with each run; they cannot be compared."""
    both = together(situation(), situation(track_id="t2"))
    first, second = both.tracks
    later = replace(both, tracks=(first, replace(second, run_id="run2")))

    assert status_of(later, "alone", {"track": "t1"}) is SUPPORTED


def test_no_others_are_no_others_present() -> None:
    assert status_of(ZONE, "others_present", {"track": "t1", "count": 0.0}) is CONTRADICTED


def test_the_minutes_of_the_hour_are_checked_without_knowing_the_time_zone() -> None:
    hour = value_of(ZONE, FactName.HOUR)
    abroad = with_fact(ZONE, FactName.HOUR, value=hour + 5.75)
    wrong = with_fact(ZONE, FactName.HOUR, value=hour + 0.1)

    assert status_of(abroad, "hour", {"hour": hour + 5.75}) is SUPPORTED
    assert status_of(wrong, "hour", {"hour": hour + 0.1}) is CONTRADICTED


def test_an_unknown_kind_is_one_that_nothing_names() -> None:
    assert status_of(UNKNOWN, "kind_unknown", {"track": "t1"}) is SUPPORTED
    assert status_of(ZONE, "kind_unknown", {"track": "t1"}) is CONTRADICTED
    assert status_of(UNKNOWN, "kind_unknown", {"track": "t9"}) is UNVERIFIABLE


def near_threshold(incident: Incident, **changes: float) -> Args:
    [event] = incident.rule_events
    return {
        "track": "t1",
        "rule": "keep_out",
        "zone": "dock",
        "seconds": value_of(incident, FactName.DWELL),
        "threshold": event.threshold,
        **changes,
    }


def test_a_stay_is_near_its_threshold_within_its_uncertainty() -> None:
    near = situation(threshold=1.1)
    far = situation(threshold=1.0)

    assert status_of(near, "near_threshold", near_threshold(near)) is SUPPORTED
    assert status_of(far, "near_threshold", near_threshold(far)) is CONTRADICTED
    assert status_of(near, "near_threshold", near_threshold(near, threshold=1.2)) is CONTRADICTED
    assert status_of(near, "near_threshold", near_threshold(near, seconds=2.0)) is CONTRADICTED


def test_a_rule_that_asks_for_no_time_has_no_time_to_be_near_to() -> None:
    entry = situation(kind=RuleKind.ZONE_ENTRY)

    assert status_of(entry, "near_threshold", near_threshold(entry)) is UNVERIFIABLE
