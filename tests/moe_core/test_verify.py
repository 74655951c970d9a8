"""Every predicate: supported as measured, contradicted when altered, unverifiable when foreign."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.clock import SystemClock
from contracts.geometry import Point
from contracts.incidents import FactName, Incident, IncidentState
from contracts.reasoning import Claim, ClaimStatus
from contracts.rules import RuleKind
from moe_core.checkers.case import Case
from moe_core.claims import FACT_ROLES, PREDICATES, ArgType, draft
from moe_core.program import ProgramReasoner
from moe_core.verify import check_claim, verify
from tests.fakes.builders import fact
from tests.fakes.incidents import STAY, WALK_IN, elsewhere, situation, together, with_fact

SUPPORTED = ClaimStatus.SUPPORTED
CONTRADICTED = ClaimStatus.CONTRADICTED
UNVERIFIABLE = ClaimStatus.UNVERIFIABLE

Args = dict[str, str | float]

EDGE: tuple[Point, ...] = (*WALK_IN[:13], (0.505, 0.6), (0.507, 0.6), (0.506, 0.6))
"""Walks in and stops on the dock's edge."""
TOUCH: tuple[Point, ...] = (*WALK_IN[:14], (0.515, 0.6))
"""Walks up to the gate and just over it."""


def fact_id_of(incident: Incident, name: FactName) -> str:
    return next(fact.fact_id for fact in incident.facts if fact.name is name)


def value_of(incident: Incident, name: FactName) -> float:
    return next(fact.value for fact in incident.facts if fact.name is name)


def sigma_of(incident: Incident, name: FactName) -> float:
    return next(fact.sigma for fact in incident.facts if fact.name is name)


def status_of(incident: Incident, predicate: str, args: Mapping[str, str | float]) -> ClaimStatus:
    """Check one claim that cites just the facts it needs."""
    entry = PREDICATES[predicate]
    names = entry.needs or (FactName.RULE_VALUE,)
    evidence = [fact_id_of(incident, name) for name in names]
    claim = draft("c1", predicate, args, evidence)
    return check_claim(Case(incident), claim, checked={}).status


LINE = situation(kind=RuleKind.LINE_CROSS)
ZONE = situation()
LOITER = situation(kind=RuleKind.LOITER, feet=STAY, threshold=8.0)
UNKNOWN = situation(label="object")
PAIR = situation(others=1)
NEAR = replace(
    together(situation(), situation(track_id="t2", feet=[(x, 0.8) for x, _ in WALK_IN])),
    facts=(
        *situation(others=1).facts,
        replace(
            fact(FactName.NEAR, 0.2, fact_id="n1", target="t2", unit="picture", sigma=0.005),
            end_s=4.0,
        ),
    ),
)

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
    "not_detector_noise": (ZONE, FactName.HIT_RATIO, {"track": "t1"}, "value"),
    "not_light_change": (ZONE, FactName.LIGHT_CHANGE, {}, "value"),
    "not_camera_movement": (ZONE, FactName.FOREGROUND_SHARE, {}, "value"),
    "not_edge_touch": (ZONE, FactName.INSIDE, {"track": "t1", "zone": "dock"}, "value"),
    "not_sway": (ZONE, FactName.DISPLACEMENT, {"track": "t1"}, "value"),
    "not_too_small": (ZONE, FactName.BOX_AREA, {"track": "t1"}, "value"),
    "not_wrong_object": (ZONE, FactName.LABEL_SHARE, {"track": "t1", "label": "person"}, "value"),
    "not_weak_detection": (ZONE, FactName.CONFIDENCE, {"track": "t1"}, "value"),
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


def test_no_others_are_no_others_present() -> None:
    assert status_of(ZONE, "others_present", {"track": "t1", "count": 0.0}) is CONTRADICTED


def meets(incident: Incident, **changes: str | float) -> Args:
    [event] = incident.rule_events
    return {
        "track": "t1",
        "rule": "keep_out",
        "place": event.zone_id or event.line_id,
        "value": event.value,
        "threshold": event.threshold,
        "unit": event.unit,
        **changes,
    }


BY_KIND = [
    situation(kind=RuleKind.INTRUSION),
    situation(kind=RuleKind.ZONE_ENTRY),
    situation(kind=RuleKind.LINE_CROSS),
    situation(kind=RuleKind.LOITER, feet=STAY, threshold=8.0),
]
each_kind = pytest.mark.parametrize("incident", BY_KIND, ids=[str(one.kind) for one in BY_KIND])


@each_kind
def test_a_condition_that_held_is_supported(incident: Incident) -> None:
    assert status_of(incident, "meets_rule", meets(incident)) is SUPPORTED


@each_kind
def test_a_condition_that_the_track_never_met_is_contradicted(incident: Incident) -> None:
    assert status_of(elsewhere(incident), "meets_rule", meets(incident)) is CONTRADICTED


@each_kind
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"value": 99.0}, id="another value"),
        pytest.param({"threshold": 0.005}, id="another threshold"),
        pytest.param({"unit": "h"}, id="another unit"),
        pytest.param({"place": "elsewhere"}, id="another place"),
        pytest.param({"place": "moon"}, id="a place that is not there"),
        pytest.param({"track": "t9"}, id="another track"),
        pytest.param({"rule": "other"}, id="another rule"),
    ],
)
def test_a_miscopied_condition_is_not_supported_and_contradicts_nothing(
    incident: Incident, changes: dict[str, str | float]
) -> None:
    """Only a measurement may contradict the deciding claim: a contradicted one lowers an alert."""
    assert status_of(incident, "meets_rule", meets(incident, **changes)) is UNVERIFIABLE


@each_kind
def test_a_condition_stands_by_its_facts_where_the_points_are_forgotten(
    incident: Incident,
) -> None:
    [followed] = incident.tracks
    late = tuple(replace(point, seq=point.seq + 900) for point in followed.points)
    forgotten = replace(incident, tracks=(replace(followed, points=late),))

    assert status_of(forgotten, "meets_rule", meets(incident)) is SUPPORTED


def test_a_number_that_the_track_does_not_give_is_not_stood_by_but_contradicts_nothing() -> None:
    """0.2 s inside were measured again where the rule said 1.2 s of 0.1 s: both meet the rule."""
    incident = situation(threshold=0.1)
    late = [*[(0.2, 0.6)] * 19, *[(0.8, 0.6)] * 2]

    status = status_of(elsewhere(incident, late), "meets_rule", meets(incident))

    assert status is UNVERIFIABLE


def test_a_long_grace_time_that_the_rule_did_not_mention_contradicts_nothing() -> None:
    incident = situation(kind=RuleKind.LOITER, feet=STAY, threshold=8.0)
    away = [*[(0.2, 0.6)] * 8, *[(0.8, 0.6)] * 8, *[(0.2, 0.6)] * 40, *[(0.8, 0.6)] * 15]

    status = status_of(elsewhere(incident, away), "meets_rule", meets(incident))

    assert status is not CONTRADICTED


def test_a_grace_time_that_the_rule_mentions_bounds_the_stay() -> None:
    incident = situation(kind=RuleKind.LOITER, feet=STAY, threshold=8.0)
    [event] = incident.rule_events
    strict = replace(incident, rule_events=(replace(event, detail={"grace_s": "2.0"}),))
    away = [*[(0.2, 0.6)] * 8, *[(0.8, 0.6)] * 8, *[(0.2, 0.6)] * 40, *[(0.8, 0.6)] * 15]

    assert status_of(elsewhere(strict, away), "meets_rule", meets(incident)) is CONTRADICTED


STANDING: dict[str, tuple[Incident, Args]] = {
    "perhaps_detector_noise": (
        with_fact(
            replace(ZONE, tracks=(replace(ZONE.tracks[0], hits=8, misses=12),)),
            FactName.HIT_RATIO,
            value=0.4,
        ),
        {"track": "t1", "value": 0.4},
    ),
    "perhaps_light_change": (situation(light_change=0.3), {"value": 0.3}),
    "perhaps_camera_movement": (
        with_fact(ZONE, FactName.FOREGROUND_SHARE, value=0.8),
        {"value": 0.8},
    ),
    "perhaps_edge_touch": (
        situation(feet=EDGE, threshold=0.2),
        {"track": "t1", "zone": "dock", "value": 0.006},
    ),
    "perhaps_line_touch": (
        situation(kind=RuleKind.LINE_CROSS, feet=TOUCH),
        {"track": "t1", "line": "gate", "value": 0.015},
    ),
    "perhaps_passing_by": (
        situation(kind=RuleKind.LOITER, threshold=1.0),
        {"track": "t1", "distance": 0.7, "seconds": 4.0},
    ),
    "perhaps_sway": (
        situation(feet=[(0.7, 0.6), (0.71, 0.6)] * 8, label="object"),
        {"track": "t1", "value": 0.01},
    ),
    "perhaps_too_small": (
        with_fact(ZONE, FactName.BOX_AREA, value=0.0103, sigma=0.005),
        {"track": "t1", "value": 0.0103},
    ),
    "perhaps_wrong_object": (
        with_fact(
            replace(ZONE, tracks=(replace(ZONE.tracks[0], label_confidence=0.45),)),
            FactName.LABEL_SHARE,
            value=0.45,
        ),
        {"track": "t1", "label": "person", "value": 0.45},
    ),
    "perhaps_weak_detection": (
        with_fact(ZONE, FactName.CONFIDENCE, value=0.9, sigma=0.3),
        {"track": "t1", "value": 0.9},
    ),
}
each_standing = pytest.mark.parametrize("predicate", STANDING)


def test_every_cause_can_stand() -> None:
    assert set(STANDING) == {
        entry.cause.standing for entry in PREDICATES.values() if entry.cause is not None
    }


@each_standing
def test_a_cause_that_is_not_clearly_ruled_out_stands(predicate: str) -> None:
    incident, args = STANDING[predicate]

    assert status_of(incident, predicate, args) is SUPPORTED


@each_standing
def test_the_same_measurement_does_not_rule_it_out(predicate: str) -> None:
    incident, args = STANDING[predicate]

    status = status_of(incident, predicate.replace("perhaps_", "not_"), args)

    assert status is CONTRADICTED


def test_what_is_ruled_out_does_not_stand() -> None:
    args: Args = {"track": "t1", "value": value_of(ZONE, FactName.DISPLACEMENT)}

    assert status_of(ZONE, "perhaps_sway", args) is CONTRADICTED


def test_going_on_beyond_the_line_rules_out_a_touch() -> None:
    args: Args = {"track": "t1", "line": "gate", "value": 0.23}

    assert status_of(LINE, "not_line_touch", args) is SUPPORTED
    assert status_of(LINE, "not_line_touch", {**args, "value": 0.3}) is CONTRADICTED
    assert status_of(elsewhere(LINE), "not_line_touch", args) is CONTRADICTED


def test_staying_rules_out_passing_by() -> None:
    args: Args = {
        "track": "t1",
        "distance": value_of(LOITER, FactName.DISPLACEMENT),
        "seconds": value_of(LOITER, FactName.PRESENT),
    }

    assert status_of(LOITER, "not_passing_by", args) is SUPPORTED
    assert status_of(LOITER, "not_passing_by", {**args, "seconds": 30.0}) is CONTRADICTED
    assert status_of(LOITER, "perhaps_passing_by", args) is CONTRADICTED


def test_an_unnamed_kind_cannot_be_the_wrong_one() -> None:
    args: Args = {"track": "t1", "label": "object", "value": 1.0}

    assert status_of(UNKNOWN, "not_wrong_object", args) is UNVERIFIABLE


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


def reasoned(incident: Incident) -> tuple[Claim, ...]:
    return ProgramReasoner(SystemClock()).reason(incident).reasoning.claims


def altered(claims: tuple[Claim, ...], which: str, **changes: object) -> list[Claim]:
    return [
        replace(claim, **changes) if claim.predicate == which else claim  # type: ignore[arg-type]  # any field
        for claim in claims
    ]


def status_in(claims: list[Claim], incident: Incident, predicate: str) -> ClaimStatus:
    return next(claim.status for claim in verify(claims, incident) if claim.predicate == predicate)


def test_a_hypothesis_falls_with_the_condition_that_it_explains() -> None:
    claims = list(reasoned(ZONE))

    assert status_in(claims, ZONE, "is_intrusion") is SUPPORTED
    assert status_in(claims, elsewhere(ZONE), "is_intrusion") is CONTRADICTED


def test_a_hypothesis_must_cite_the_condition_that_it_explains() -> None:
    claims = reasoned(ZONE)
    present = next(claim.claim_id for claim in claims if claim.predicate == "present")

    changed = altered(claims, "is_intrusion", evidence=(present,))

    assert status_in(changed, ZONE, "is_intrusion") is UNVERIFIABLE


def test_a_hypothesis_about_another_kind_cannot_be_verified() -> None:
    changed = altered(reasoned(ZONE), "is_intrusion", predicate="is_loitering")

    assert status_in(changed, ZONE, "is_loitering") is UNVERIFIABLE


def test_a_benign_hypothesis_stands_with_its_counter_claim() -> None:
    dark = situation(light_change=0.3)
    claims = reasoned(dark)

    assert status_in(list(claims), dark, "could_be") is SUPPORTED
    assert status_in(list(claims), ZONE, "could_be") is CONTRADICTED
    other = altered(claims, "could_be", args={"cause": "sway"})
    assert status_in(other, dark, "could_be") is UNVERIFIABLE


def test_a_benign_hypothesis_of_another_kind_of_rule_is_contradicted() -> None:
    dark = situation(light_change=0.3)
    other = altered(reasoned(dark), "could_be", args={"cause": "passing_by"})

    assert status_in(other, dark, "could_be") is CONTRADICTED


@pytest.mark.parametrize("verdict", ["contradicted", "unverified", "abstained"])
def test_a_verdict_that_its_claims_do_not_give_is_contradicted(verdict: str) -> None:
    changed = altered(reasoned(ZONE), "verdict", args={"verdict": verdict})

    assert status_in(changed, ZONE, "verdict") is CONTRADICTED


def test_a_verdict_that_leaves_out_what_decides_cannot_be_stood_by() -> None:
    changed = altered(reasoned(ZONE), "verdict", evidence=())

    assert status_in(changed, ZONE, "verdict") is UNVERIFIABLE


def test_frames_and_text_are_the_verifiers_own() -> None:
    lying = [
        replace(claim, frames=("f_999",), text="A tank drove by.", measured=1e9, note="trust me")
        for claim in reasoned(ZONE)
    ]

    for claim in verify(lying, ZONE):
        assert "f_999" not in claim.frames
        assert "tank" not in claim.text
        assert claim.measured != 1e9
        assert claim.note == ""


def test_malformed_claims_are_unverifiable_and_never_raise() -> None:
    good = reasoned(ZONE)[0]
    for broken in (
        replace(good, predicate="nonsense"),
        replace(good, args={}),
        replace(good, args={**good.args, "seconds": "long"}),
        replace(good, evidence=("a999",)),
        replace(good, evidence=()),
    ):
        [checked] = verify([broken], ZONE)
        assert checked.status is UNVERIFIABLE
        assert checked.note


@given(data=st.data())
def test_no_altered_claim_stays_supported(data: st.DataObject) -> None:
    """A value beyond its tolerance, another track, zone, rule or word: never supported."""
    incident = data.draw(st.sampled_from([*BY_KIND, UNKNOWN, PAIR]))
    claims = reasoned(incident)
    index = data.draw(st.integers(0, len(claims) - 1))
    claim = claims[index]
    name = data.draw(st.sampled_from(sorted(claim.args)))
    value = claim.args[name]
    if isinstance(value, str):
        other: str | float = data.draw(
            st.sampled_from(["t1", "t2", "dock", "elsewhere", "gate", "person", "left", "sway"])
        )
        if other == value:
            return
    else:
        # A value inside the tolerance is the same measurement.
        off = (claim.tolerance or 0.0) * 3 + 0.05 + data.draw(st.floats(0, 100))
        other = value + off * data.draw(st.sampled_from([-1, 1]))
    changed = [*claims]
    changed[index] = replace(claim, args={**claim.args, name: other})

    found = verify(changed, incident)[index]

    assert found.status is not SUPPORTED


@given(data=st.data())
def test_no_claim_stays_supported_by_other_evidence(data: st.DataObject) -> None:
    both = together(situation(), situation(track_id="t2"))
    claims = reasoned(both)
    index = data.draw(st.integers(0, len(claims) - 1))
    claim = claims[index]
    if claim.role not in FACT_ROLES or claim.predicate == "meets_rule":
        return
    cited = {one.fact_id for one in both.facts if one.fact_id in claim.evidence}
    other = data.draw(st.sampled_from([f for f in both.facts if f.fact_id not in cited]))
    changed = [*claims]
    changed[index] = replace(claim, evidence=(other.fact_id,))
    same = {one.name for one in both.facts if one.fact_id in cited} == {other.name}
    camera_wide = other.subject == "cam"

    found = verify(changed, both)[index]

    if not (same and camera_wide):
        assert found.status is not SUPPORTED


def test_a_closed_incident_may_say_that_it_was_close() -> None:
    closed = situation(threshold=1.1, state=IncidentState.CLOSED)

    assert "near_threshold" in {claim.predicate for claim in reasoned(closed)}
    assert "near_threshold" not in {claim.predicate for claim in reasoned(situation(threshold=1.1))}
