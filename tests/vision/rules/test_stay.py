"""What intrusion, loiter and zone entry share: stays, and who is present."""

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Point, Zone
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import TrackState
from tests.fakes.builders import RIGHT_HALF, WHOLE
from tests.fakes.tracks import followed, header_at, missed, observed, play
from vision.rules.loiter import LoiterRule

INSIDE: Point = (0.7, 0.6)
OUTSIDE: Point = (0.2, 0.6)
ZONE = Zone(zone_id="dock", polygon=RIGHT_HALF)


def settings(kind: RuleKind, params: Mapping[str, float | str]) -> RuleSettings:
    return RuleSettings(
        rule_id="watch", kind=kind, zone_id="dock", labels=("person",), params=params
    )


def loiter(**params: float | str) -> LoiterRule:
    return LoiterRule(settings(RuleKind.LOITER, params), zone=ZONE)


def test_reports_a_stay_once_and_with_its_start() -> None:
    stay = [(float(second), INSIDE) for second in range(100, 113)]

    [event] = play(loiter(threshold_s=10.0), stay)

    assert event.since_s == 100
    assert event.monotonic_s == 110
    assert event.value == pytest.approx(10.0)
    assert event.margin == pytest.approx(0.0)
    assert event.unit == "s"


@pytest.mark.parametrize(
    ("outside_s", "since_s"),
    [
        pytest.param(9.9, 9.96, id="halfway and more between two points that lie near in time"),
        pytest.param(8.5, 10.0, id="unseen for too long, it began when it was first seen inside"),
    ],
)
def test_a_stay_begins_where_the_way_crosses_the_edge(outside_s: float, since_s: float) -> None:
    way = [(outside_s, OUTSIDE), *((10.0 + 0.2 * step, INSIDE) for step in range(20))]

    [event] = play(loiter(threshold_s=2.0), way)

    assert event.since_s == pytest.approx(since_s, abs=0.001)
    assert event.monotonic_s == pytest.approx(12.0)
    assert event.value == pytest.approx(12.0 - since_s, abs=0.001)


def test_an_edge_that_is_stepped_over_again_is_the_same_stay() -> None:
    way = [
        (0.0, OUTSIDE),
        (0.2, INSIDE),
        (0.4, OUTSIDE),
        *((0.6 + s / 5, INSIDE) for s in range(9)),
    ]

    [event] = play(loiter(threshold_s=1.0), way)

    assert event.since_s == pytest.approx(0.12, abs=0.001)


def test_a_stay_that_is_too_short_is_not_reported() -> None:
    assert play(loiter(threshold_s=10.0), [(float(s), INSIDE) for s in range(10)]) == []


def test_standing_outside_is_not_reported() -> None:
    assert play(loiter(threshold_s=1.0), [(float(s), OUTSIDE) for s in range(10)]) == []


def test_a_threshold_met_to_the_frame_counts_in_spite_of_float_sums() -> None:
    times = [0.1 * step for step in range(4)]

    [event] = play(loiter(threshold_s=0.3), [(at_s, INSIDE) for at_s in times])

    assert event.monotonic_s == times[3]


@pytest.mark.parametrize(
    ("back_s", "since_s"),
    [
        pytest.param(4.0, 0.0, id="an absence within the grace period is no exit"),
        pytest.param(4.5, 4.5, id="a longer absence starts a new stay"),
    ],
)
def test_grace_period(back_s: float, since_s: float) -> None:
    feet = [(0.0, INSIDE), (2.0, INSIDE), (2.1, OUTSIDE)]
    feet += [(back_s + step, INSIDE) for step in range(6)]

    events = play(loiter(threshold_s=4.0, grace_s=2.0), feet)

    assert [event.since_s for event in events] == [since_s]


def test_an_event_says_which_absence_it_forgave() -> None:
    stay = [(float(second), INSIDE) for second in range(100, 113)]

    [event] = play(loiter(threshold_s=10.0, grace_s=1.5), stay)

    assert event.detail == {"grace_s": "1.5"}


def test_no_report_is_made_while_the_track_is_outside() -> None:
    feet = [(0.0, INSIDE), (1.0, INSIDE), (2.5, OUTSIDE)]

    assert play(loiter(threshold_s=1.5), feet) == []


def test_a_return_after_silence_is_a_new_stay() -> None:
    """A camera that freezes for a minute must not turn a passer-by into a loiterer."""
    assert play(loiter(threshold_s=10.0), [(0.0, INSIDE), (60.0, INSIDE)]) == []


def test_leaving_and_coming_back_is_reported_twice() -> None:
    feet = [(0.0, INSIDE), (1.0, INSIDE), (2.0, OUTSIDE), (9.0, INSIDE), (10.0, INSIDE)]

    events = play(loiter(threshold_s=1.0), feet)

    assert [event.since_s for event in events] == [0.0, 9.0]
    assert events[0].event_id != events[1].event_id


def test_frames_without_a_detection_within_the_grace_period_go_into_the_dwell() -> None:
    rule = loiter(threshold_s=3.0)
    rule.update(observed([followed([(0.0, INSIDE)])], header_at(0.0)))
    lost = missed(followed([(0.0, INSIDE)]), 1.0)
    assert rule.update(observed([lost], header_at(1.0))) == []
    rule.update(observed([followed([(0.0, INSIDE), (1.5, INSIDE)])], header_at(1.5)))

    [event] = rule.update(
        observed([followed([(0.0, INSIDE), (1.5, INSIDE), (3.0, INSIDE)])], header_at(3.0))
    )

    assert event.value == pytest.approx(3.0)


def test_a_tentative_track_fires_nothing_but_its_beginning_counts() -> None:
    rule = loiter(threshold_s=1.0)
    feet = [(0.0, INSIDE), (0.5, INSIDE), (1.0, INSIDE)]
    assert (
        rule.update(observed([followed(feet[:2], state=TrackState.TENTATIVE)], header_at(0.5)))
        == []
    )

    [event] = rule.update(observed([followed(feet)], header_at(1.0)))

    assert event.since_s == 0.0


def test_each_track_has_its_own_stay() -> None:
    rule = loiter(threshold_s=2.0)
    first = [(0.0, INSIDE), (1.0, INSIDE), (2.0, INSIDE)]
    second = [(1.0, INSIDE), (2.0, INSIDE)]
    rule.update(observed([followed(first[:1], track_id="t1")], header_at(0.0)))
    both = [followed(first[:2], track_id="t1"), followed(second[:1], track_id="t2")]
    rule.update(observed(both, header_at(1.0)))

    both = [followed(first, track_id="t1"), followed(second, track_id="t2")]
    events = rule.update(observed(both, header_at(2.0)))

    assert [event.track_id for event in events] == ["t1"]


def test_two_cameras_do_not_share_a_stay() -> None:
    gate, yard = loiter(threshold_s=2.0), loiter(threshold_s=2.0)
    play(gate, [(0.0, INSIDE), (1.0, INSIDE)])

    assert play(yard, [(2.0, INSIDE)]) == []
    assert yard.present() == {"t1"}


def test_a_label_that_is_not_watched_is_left_alone() -> None:
    stay = [(float(s), INSIDE) for s in range(5)]

    assert play(loiter(threshold_s=1.0), stay, label="car") == []
    assert len(play(loiter(threshold_s=1.0), stay, label="object")) == 1


def test_a_box_that_is_cut_off_by_the_picture_stands_in_a_zone_that_reaches_the_edge() -> None:
    rule = LoiterRule(
        settings(RuleKind.LOITER, {"threshold_s": 1.0}),
        zone=Zone(zone_id="dock", polygon=WHOLE),
    )

    assert len(play(rule, [(0.0, (0.5, 1.0)), (1.0, (0.5, 1.0))])) == 1


def test_an_ended_track_is_forgotten() -> None:
    rule = loiter(threshold_s=2.0)
    play(rule, [(0.0, INSIDE), (1.0, INSIDE)])
    assert rule.present() == {"t1"}

    rule.update(
        observed([followed([(0.0, INSIDE), (1.0, INSIDE)], state=TrackState.ENDED)], header_at(1.2))
    )

    assert rule.present() == frozenset()


def test_who_stepped_out_is_present_until_the_grace_period_is_over() -> None:
    rule = loiter(threshold_s=2.0, grace_s=2.0)
    feet = [(0.0, INSIDE), (1.0, OUTSIDE), (2.0, OUTSIDE), (2.1, OUTSIDE)]
    play(rule, feet[:3])
    assert rule.present() == {"t1"}

    play(rule, feet[3:])

    assert rule.present() == frozenset()


def test_an_entry_at_a_crawl_is_less_certain_than_one_at_a_run() -> None:
    slow = [(0.2 * step, (0.5 + 0.002 * step, 0.6 + 0.004 * (step % 2))) for step in range(20)]
    quick = [(0.2 * step, (0.5 + 0.02 * step, 0.6 + 0.004 * (step % 2))) for step in range(20)]

    [crawled] = play(loiter(threshold_s=2.0), slow)
    [ran] = play(loiter(threshold_s=2.0), quick)

    assert crawled.sigma > ran.sigma


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"threshold_s": -1.0}, "threshold_s must be a number >= 0, got -1"),
        ({"threshold_s": float("nan")}, "threshold_s must be a number"),
        ({"grace_s": "long"}, "grace_s must be a number >= 0, got 'long'"),
        ({"treshold_s": 3.0}, r"unknown parameter\(s\) treshold_s; known are threshold_s, grace_s"),
    ],
)
def test_refuses_params_and_names_them(params: dict[str, float | str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        loiter(**params)


FEET = st.lists(st.tuples(st.floats(0.05, 3.0), st.floats(0.02, 0.98)), min_size=1, max_size=40)


@given(walk=FEET)
def test_whatever_the_way_a_report_rests_on_a_stay_that_long(
    walk: list[tuple[float, float]],
) -> None:
    """Each report: inside now, dwell over the threshold, no gap longer than the grace time."""
    at_s, feet = 0.0, []
    for step_s, x in walk:
        at_s += step_s
        feet.append((at_s, (x, 0.6)))

    events = play(loiter(threshold_s=2.0, grace_s=1.0), feet)

    assert len({event.event_id for event in events}) == len(events)
    for event in events:
        inside_s = [
            seen_s
            for seen_s, foot in feet
            if ZONE.contains(foot) and event.since_s <= seen_s <= event.monotonic_s
        ]
        assert 0 <= inside_s[0] - event.since_s < 1.0
        if event.since_s < inside_s[0]:  # it came from outside, at the point before
            before_s, foot = max(one for one in feet if one[0] < inside_s[0])
            assert before_s < event.since_s
            assert not ZONE.contains(foot)
        assert inside_s[-1] == event.monotonic_s
        assert event.value == inside_s[-1] - event.since_s
        assert inside_s[-1] - inside_s[0] >= 2.0 - 1e-6
        gaps = [after - before for before, after in itertools.pairwise(inside_s)]
        assert max(gaps) <= 1.0 + 1e-6
