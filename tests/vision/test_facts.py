"""Facts: right within their own uncertainty, complete, never NaN."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.geometry import Line, Point, Zone
from contracts.incidents import Fact, FactName
from contracts.rules import RuleKind, RuleSettings, SceneRules
from contracts.tracks import Track
from tests.fakes.builders import RIGHT_HALF, WHOLE, rule_event, scene, track
from tests.fakes.tracks import followed, missed
from vision.fact_list import cite_only, merge_facts
from vision.facts import (
    PictureMotion,
    company_facts,
    dwell_fact,
    event_facts,
    picture_facts,
    stay_end_s,
    track_facts,
)
from vision.keyframes import Moment

CITED = {Moment.FIRST: "f_0", Moment.ENTRY: "f_13", Moment.DECISIVE: "f_20", Moment.LAST: "f_20"}
MOVED = FactName.DISPLACEMENT
WALK: Sequence[Point] = [(0.1 + 0.025 * index, 0.6) for index in range(21)]
"""21 frames in 4 s at 5 fps, 0.5 of the picture from left to right: 0.125 picture/s."""


def named(facts: Sequence[Fact], name: FactName) -> Fact:
    [found] = [fact for fact in facts if fact.name is name]
    return found


def test_a_track_is_measured_as_a_whole() -> None:
    facts = track_facts(track(WALK), cited=CITED)

    assert named(facts, FactName.PRESENT).value == pytest.approx(4.0)
    assert named(facts, FactName.PRESENT).text == "person"
    assert named(facts, FactName.LABEL_SHARE).value == 1.0
    assert named(facts, FactName.HIT_RATIO).value == 1.0
    assert named(facts, FactName.CONFIDENCE).value == pytest.approx(0.9)
    assert named(facts, FactName.PATH_LENGTH).value == pytest.approx(0.5, abs=0.03)
    assert named(facts, FactName.DISPLACEMENT).value == pytest.approx(0.5)
    assert named(facts, FactName.BOX_AREA).value == pytest.approx(0.01)


def test_what_was_seen_always_is_still_uncertain_by_how_often_it_was_looked_at() -> None:
    short = named(track_facts(track(WALK[:3]), cited={}), FactName.HIT_RATIO)
    long = named(track_facts(track(WALK), cited={}), FactName.HIT_RATIO)

    assert short.sigma > long.sigma > 0


def test_facts_cite_the_frames_that_were_kept() -> None:
    facts = track_facts(track(WALK), cited=CITED)
    facts += event_facts(rule_event(), track=track(WALK), scene=scene(), cited=CITED)

    assert named(facts, FactName.PRESENT).frames == ("f_0", "f_20")
    assert named(facts, FactName.INSIDE).frames == ("f_20",)
    assert named(facts, FactName.DWELL).frames == ("f_13", "f_20")


def test_the_event_is_measured_at_its_own_frame() -> None:
    later = [*WALK, (0.9, 0.6), (0.95, 0.6)]

    facts = event_facts(rule_event(seq=20), track=track(later), scene=scene(), cited=CITED)

    assert named(facts, FactName.INSIDE).value == pytest.approx(0.1)
    assert named(facts, FactName.INSIDE).target == "dock"
    assert named(facts, FactName.SPEED).value == pytest.approx(0.125, abs=0.01)
    assert named(facts, FactName.RULE_VALUE).value == 1.4
    assert named(facts, FactName.RULE_VALUE).source == "rule:keep_out"


def test_depth_outside_is_negative_and_the_border_of_the_picture_is_no_way_out() -> None:
    dock = Zone(zone_id="dock", polygon=RIGHT_HALF)
    everywhere = Zone(zone_id="all", polygon=WHOLE)

    assert dock.depth((0.4, 0.5)) == pytest.approx(-0.1)
    assert dock.depth((0.7, 0.98)) == pytest.approx(0.2)
    assert everywhere.depth((0.5, 0.99)) == 1.0


@pytest.mark.parametrize(
    ("first_foot", "text"),
    [
        ((0.02, 0.6), "left"),
        ((0.98, 0.6), "right"),
        ((0.5, 0.2), "top"),
        ((0.5, 1.0), "bottom"),
        ((0.5, 0.6), "inside"),
    ],
)
def test_where_a_track_came_from(first_foot: Point, text: str) -> None:
    facts = track_facts(track([first_foot, (0.5, 0.5), (0.5, 0.5)]), cited=CITED)

    assert named(facts, FactName.ENTERED_FROM).text == text


def test_where_a_track_came_from_is_not_made_up_once_its_beginning_is_forgotten() -> None:
    whole = track(WALK)
    forgetful = replace(whole, points=whole.points[5:])

    names = {fact.name for fact in track_facts(forgetful, cited=CITED)}

    assert FactName.ENTERED_FROM not in names


def test_a_crossing_is_as_long_as_the_way_from_clear_to_clear() -> None:
    gate = SceneRules(
        lines=(Line(line_id="gate", points=((0.5, 0.9), (0.5, 0.3))),),
        rules=(RuleSettings(rule_id="cross", kind=RuleKind.LINE_CROSS, line_id="gate"),),
    )
    event = replace(
        rule_event(kind=RuleKind.LINE_CROSS, threshold=0.01, value=0.02),
        zone_id="",
        line_id="gate",
        since_s=0.5,
        detail={"direction": "right"},
    )
    feet = [(0.0, (0.45, 0.6)), (0.2, (0.48, 0.6)), (0.4, (0.495, 0.6)), (0.6, (0.52, 0.6))]
    crosser = followed(feet)

    facts = event_facts(replace(event, frame_seq=600), track=crosser, scene=gate, cited=CITED)

    crossed = named(facts, FactName.CROSSED)
    assert crossed.value == pytest.approx(0.04)
    assert (crossed.target, crossed.text) == ("gate", "right")
    assert FactName.DWELL not in {fact.name for fact in facts}


def test_the_dwell_grows_with_the_stay_and_stops_with_it() -> None:
    feet = [(0.2 * index, (0.7, 0.6)) for index in range(21)]
    feet += [(4.0 + 0.2 * index, (0.7, 0.6)) for index in range(1, 11)]
    feet += [(6.0 + 0.2 * index, (0.2, 0.6)) for index in range(1, 30)]
    event = rule_event(value=4.0)

    dwell = dwell_fact(event, track=followed(feet), scene=scene(), cited=CITED)

    assert dwell is not None
    assert dwell.value == pytest.approx(6.0)
    assert dwell.end_s == pytest.approx(6.0)


def test_a_second_stay_is_not_added_to_the_first() -> None:
    zone = Zone(zone_id="dock", polygon=RIGHT_HALF)
    feet = [(4.0, (0.7, 0.6)), (5.0, (0.7, 0.6)), (6.0, (0.2, 0.6)), (9.0, (0.7, 0.6))]

    end_s = stay_end_s(followed(feet).points, zone=zone, decisive_s=4.0, grace_s=2.0)

    assert end_s == 5.0


def test_a_stay_whose_middle_is_forgotten_has_gone_on() -> None:
    zone = Zone(zone_id="dock", polygon=RIGHT_HALF)
    feet = [(200.0, (0.7, 0.6)), (201.0, (0.7, 0.6))]

    assert stay_end_s(followed(feet).points, zone=zone, decisive_s=4.0, grace_s=2.0) == 201.0


def test_company_is_counted_and_the_nearest_are_named() -> None:
    own = track(WALK)
    others = [
        track([(x, 0.6)] * 21, track_id=f"t{index}")
        for index, x in enumerate([0.7, 0.95, 0.2, 0.3], start=2)
    ]
    gone = missed(track([(0.6, 0.6)] * 21, track_id="t9"), 4.2)

    facts = company_facts(rule_event(), track=own, tracks=[own, *others, gone], cited=CITED)

    assert named(facts, FactName.OTHERS_PRESENT).value == 4
    near = [fact for fact in facts if fact.name is FactName.NEAR]
    assert [fact.target for fact in near] == ["t2", "t5", "t3"]
    assert near[0].value == pytest.approx(0.1)


def test_light_is_that_of_the_second_before_and_movement_the_largest_meanwhile() -> None:
    motions = [
        PictureMotion(at_s=-5.0, share=0.9, light_change=0.9),
        PictureMotion(at_s=-0.5, share=0.01, light_change=0.02),
        PictureMotion(at_s=0.0, share=0.02, light_change=0.03),
        PictureMotion(at_s=2.0, share=0.3, light_change=0.5),
        PictureMotion(at_s=9.0, share=0.8, light_change=0.9),
    ]

    facts = picture_facts(
        rule_event(),
        track=track(WALK),
        motions=motions,
        time_zone=timezone(timedelta(hours=2)),
        cited=CITED,
    )

    assert named(facts, FactName.LIGHT_CHANGE).value == 0.03
    assert named(facts, FactName.FOREGROUND_SHARE).value == 0.3
    assert named(facts, FactName.HOUR).value == pytest.approx(14.001, abs=0.001)
    assert {fact.subject for fact in facts} == {"cam"}


def test_what_the_gate_did_not_see_is_left_out() -> None:
    facts = picture_facts(rule_event(), track=track(WALK), motions=(), time_zone=UTC, cited=CITED)

    assert [fact.name for fact in facts] == [FactName.HOUR]


def test_merging_numbers_facts_and_keeps_the_ids_of_what_it_brings_up_to_date() -> None:
    known = merge_facts((), track_facts(track(WALK[:10]), cited=CITED))
    assert [fact.fact_id for fact in known] == [f"a{n + 1}" for n in range(len(known))]

    merged = merge_facts(known, track_facts(track(WALK), cited=CITED))

    assert [fact.fact_id for fact in merged] == [fact.fact_id for fact in known]
    assert named(merged, FactName.PRESENT).value > named(known, FactName.PRESENT).value


def test_two_events_of_one_rule_keep_a_value_each() -> None:
    first, second = rule_event(), replace(rule_event(), since_s=30.0, value=2.0)

    merged = merge_facts(
        event_facts(first, track=track(WALK), scene=scene(), cited=CITED),
        event_facts(second, track=track(WALK), scene=scene(), cited=CITED),
    )

    values = [fact.value for fact in merged if fact.name is FactName.RULE_VALUE]
    assert values == [1.4, 2.0]


def test_frames_that_are_not_kept_are_not_cited() -> None:
    facts = cite_only(track_facts(track(WALK), cited=CITED), {"f_20"})

    assert {name for fact in facts for name in fact.frames} == {"f_20"}


@pytest.mark.parametrize("is_back_again", [False, True])
@given(seed=st.integers(0, 10_000), length=st.floats(0.0, 0.7), sigma=st.floats(0.0005, 0.004))
def test_displacement_is_right_within_five_standard_uncertainties(
    is_back_again: bool, seed: int, length: float, sigma: float
) -> None:
    noise = random.Random(seed)  # noqa: S311  # a repeatable disturbance, no secret
    stops = [length * index / 40 for index in range(41)]
    if is_back_again:
        stops += [length, *reversed(stops)]
    feet = [(0.15 + stop + noise.gauss(0, sigma), 0.5 + noise.gauss(0, sigma)) for stop in stops]

    displacement = named(track_facts(track(feet), cited={}), FactName.DISPLACEMENT)

    assert abs(displacement.value - length) <= 5 * displacement.sigma + 0.002


def test_who_walks_in_and_out_again_has_travelled() -> None:
    """The way out ends where it began; a displacement from first to last would be nothing."""
    displacement = named(track_facts(track([*WALK, *reversed(WALK)]), cited={}), MOVED)

    assert displacement.value == pytest.approx(0.5, abs=0.001)


def test_a_single_bad_box_is_no_travel() -> None:
    feet = [(0.4, 0.6)] * 20
    feet[10] = (0.9, 0.9)

    assert named(track_facts(track(feet), cited={}), MOVED).value == 0.0


def test_where_the_first_place_is_forgotten_nobody_says_how_far_it_went_from_there() -> None:
    forgotten = replace(track(WALK), first_seen_s=-100.0)

    assert MOVED not in {fact.name for fact in track_facts(forgotten, cited={})}


def test_a_track_was_present_until_it_was_last_seen() -> None:
    """A lost track is waited for; nobody was followed while nobody was seen."""
    gone = missed(track(WALK), 5.0)

    present = named(track_facts(gone, cited={}), FactName.PRESENT)

    assert present.value == pytest.approx(4.0)
    assert present.end_s == pytest.approx(4.0)


@given(
    feet=st.lists(st.tuples(st.floats(0.03, 0.97), st.floats(0.2, 1.0)), min_size=1, max_size=25),
    at=st.integers(0, 24),
)
def test_no_fact_is_ever_no_number(feet: list[Point], at: int) -> None:
    own: Track = track(feet)
    event = replace(rule_event(seq=min(at, len(feet) - 1)), since_s=0.0)

    facts = [
        *track_facts(own, cited=CITED),
        *event_facts(event, track=own, scene=scene(), cited=CITED),
        *company_facts(event, track=own, tracks=[own], cited=CITED),
    ]

    assert facts
    for fact in facts:
        assert math.isfinite(fact.value)
        assert math.isfinite(fact.sigma)
        assert fact.sigma >= 0
        assert fact.start_s <= fact.end_s + 1e-9


def test_a_recording_of_unknown_time_has_no_hour() -> None:
    facts = picture_facts(rule_event(), track=track(WALK), motions=(), time_zone=None, cited=CITED)

    assert facts == []
