from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Zone
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import Track, TrackState
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import followed, header_at
from vision.cues.port import Cues
from vision.cues.seen import Thing, ThingsSeen
from vision.observation import Observation
from vision.rules.abandoned import AbandonedRule

SETTINGS = RuleSettings(rule_id="left", kind=RuleKind.ABANDONED, params={"threshold_s": 5})
FAR, NEAR = 3.0, 0.2


def rule(settings: RuleSettings = SETTINGS, *, zone: Zone | None = None) -> AbandonedRule:
    return AbandonedRule(settings, zone=zone)


def region(at_s: float, *, track_id: str = "rt5", x: float = 0.4, since_s: float = 0.0) -> Track:
    seen = followed([(at_s, (x, 0.8))], track_id=track_id, label="object")
    return replace(seen, is_region=True, first_seen_s=since_s)


def owner(seen_s: float) -> Track:
    return followed([(seen_s, (0.9, 0.8))])


def thing(
    at_s: float, *, distance: float = NEAR, is_seen: bool = True, **region_of: object
) -> Thing:
    last_s = at_s if is_seen else 3.0
    return Thing(
        track=region(at_s, **region_of),  # type: ignore[arg-type]  # builder's arguments
        owner=owner(last_s),
        owner_distance=distance,
        is_owner_seen=is_seen,
    )


def look(
    watch: AbandonedRule, at_s: float, *things: Thing, camera_id: str = "cam"
) -> list[RuleEvent]:
    return watch.update(
        Observation(
            header=header_at(at_s, camera_id=camera_id),
            tracks=(),
            cues=Cues(things=ThingsSeen(things=things)),
        )
    )


def test_fires_once_when_the_owner_has_been_away_for_long_enough() -> None:
    watch = rule()
    assert look(watch, 2.0, thing(2.0)) == []
    assert look(watch, 4.0, thing(4.0, distance=FAR)) == []
    assert look(watch, 8.8, thing(8.8, distance=FAR)) == []

    [event] = look(watch, 9.0, thing(9.0, distance=FAR))

    assert (event.since_s, event.value, event.threshold) == (4.0, 5.0, 5.0)
    assert event.other_track_ids == ("t1",)
    assert event.track_id == "rt5"
    assert event.detail == {"left_s": "0.0", "owner": "t1"}
    assert look(watch, 9.2, thing(9.2, distance=FAR)) == []
    assert watch.present() == {"rt5"}


def test_an_owner_who_is_gone_has_been_away_since_he_was_last_seen() -> None:
    watch = rule()
    look(watch, 3.0, thing(3.0))
    look(watch, 4.0, thing(4.0, is_seen=False))

    [event] = look(watch, 8.0, thing(8.0, is_seen=False))

    assert event.since_s == 3.0


def test_does_not_fire_while_the_owner_is_near() -> None:
    watch = rule()

    assert [event for at_s in range(60) for event in look(watch, at_s, thing(float(at_s)))] == []
    assert watch.present() == frozenset()


@pytest.mark.parametrize(
    ("distance", "is_away"),
    [pytest.param(1.8, False, id="at the limit"), pytest.param(1.81, True, id="beyond it")],
)
def test_how_far_is_away(distance: float, is_away: bool) -> None:
    watch = rule()
    look(watch, 0.0, thing(0.0, distance=distance))

    assert bool(look(watch, 5.0, thing(5.0, distance=distance))) is is_away


@pytest.mark.parametrize(("after_s", "fires"), [(4.99, False), (5.0, True)])
def test_the_threshold_is_met_to_the_microsecond(after_s: float, fires: bool) -> None:
    watch = rule()
    look(watch, 1.0, thing(1.0, distance=FAR))

    assert bool(look(watch, 1.0 + after_s, thing(1.0 + after_s, distance=FAR))) is fires


def test_who_comes_back_in_time_begins_anew() -> None:
    watch = rule()
    look(watch, 1.0, thing(1.0, distance=FAR))
    look(watch, 4.0, thing(4.0))
    look(watch, 5.0, thing(5.0, distance=FAR))
    assert look(watch, 9.0, thing(9.0, distance=FAR)) == []

    [event] = look(watch, 10.0, thing(10.0, distance=FAR))

    assert event.since_s == 5.0


@pytest.mark.parametrize(("back_s", "again"), [(1.0, False), (2.0, True)])
def test_a_thing_is_reported_again_once_its_owner_was_really_back(
    back_s: float, again: bool
) -> None:
    watch = rule()
    look(watch, 0.0, thing(0.0, distance=FAR))
    assert look(watch, 5.0, thing(5.0, distance=FAR))
    look(watch, 6.0, thing(6.0))
    look(watch, 6.0 + back_s, thing(6.0 + back_s))
    look(watch, 9.0, thing(9.0, distance=FAR))

    assert bool(look(watch, 14.0, thing(14.0, distance=FAR))) is again


def test_without_an_owner_it_is_alone_while_nobody_is_near() -> None:
    watch = rule()
    assert look(watch, 4.0, Thing(track=region(4.0, since_s=1.0), nearest=0.5)) == []
    assert look(watch, 6.0, Thing(track=region(6.0, since_s=1.0))) == []

    [event] = look(watch, 9.0, Thing(track=region(9.0, since_s=1.0)))

    assert event.since_s == 4.0
    assert event.other_track_ids == ()


def test_passers_by_do_not_report_it_again() -> None:
    watch = rule()
    look(watch, 0.0, Thing(track=region(0.0)))
    assert look(watch, 5.0, Thing(track=region(5.0)))
    for at_s in (6.0, 7.0, 8.0, 9.0):
        look(watch, at_s, Thing(track=region(at_s), nearest=0.5))

    assert look(watch, 20.0, Thing(track=region(20.0))) == []


def test_a_thing_that_is_hidden_fires_once_it_is_seen() -> None:
    watch = rule()
    look(watch, 0.0, thing(0.0, distance=FAR))
    unseen = thing(5.0, distance=FAR)
    hidden = replace(unseen.track.last, is_observed=False)
    assert look(watch, 5.0, replace(unseen, track=replace(unseen.track, points=(hidden,)))) == []

    assert len(look(watch, 5.2, thing(5.2, distance=FAR))) == 1


def test_what_only_stood_elsewhere_is_not_reported() -> None:
    watch = rule()
    moved = [replace(thing(at, distance=FAR), is_moved=True) for at in (0.0, 9.0)]

    assert look(watch, 0.0, moved[0]) + look(watch, 9.0, moved[1]) == []


def test_each_thing_is_reported_for_itself() -> None:
    watch = rule()
    pair = [
        (thing(at, distance=FAR), thing(at, distance=FAR, track_id="rt9", x=0.7))
        for at in (0.0, 5.0)
    ]
    look(watch, 0.0, *pair[0])

    assert [event.track_id for event in look(watch, 5.0, *pair[1])] == ["rt5", "rt9"]


def test_cameras_have_their_own_events() -> None:
    ids = set()
    for camera_id in ("a", "b"):
        watch = rule()
        look(watch, 0.0, thing(0.0, distance=FAR), camera_id=camera_id)
        ids |= {one.event_id for one in look(watch, 5.0, thing(5.0, distance=FAR),
                                             camera_id=camera_id)}  # fmt: skip

    assert len(ids) == 2


def test_a_zone_narrows_it() -> None:
    watch = rule(zone=Zone(zone_id="hall", polygon=RIGHT_HALF))
    events = [
        event
        for at_s in (0.0, 5.0)
        for event in look(
            watch,
            at_s,
            thing(at_s, distance=FAR),
            thing(at_s, distance=FAR, track_id="rt9", x=0.7),
        )
    ]

    assert [event.track_id for event in events] == ["rt9"]


def test_an_ended_thing_is_forgotten() -> None:
    watch = rule()
    look(watch, 0.0, thing(0.0, distance=FAR))
    gone = thing(4.0, distance=FAR)
    look(watch, 4.0, replace(gone, track=replace(gone.track, state=TrackState.ENDED)))

    assert watch.present() == frozenset()


@pytest.mark.parametrize("params", [{"threshold_s": -1}, {"away_heights": "far"}, {"grace": 2}])
def test_refuses_params_it_does_not_know(params: dict[str, float | str]) -> None:
    with pytest.raises(ConfigError, match="rule left"):
        rule(replace(SETTINGS, params=params))


@given(st.lists(st.tuples(st.floats(0.05, 1.0), st.floats(0, 4), st.booleans()), max_size=60))
def test_an_event_never_claims_more_than_it_watched(
    frames: list[tuple[float, float, bool]],
) -> None:
    watch, now_s, near_s = rule(), 0.0, 0.0
    for step_s, distance, is_seen in frames:
        now_s += step_s
        found = thing(now_s, distance=distance, is_seen=is_seen)
        if is_seen and distance <= 1.8:
            near_s = now_s
        for event in look(watch, now_s, found):
            assert event.value >= event.threshold - 1e-6
            assert event.value == pytest.approx(event.monotonic_s - event.since_s)
            assert event.since_s >= near_s - 2.0
