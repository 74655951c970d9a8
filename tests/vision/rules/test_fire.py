from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Zone
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import TrackState
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import followed, header_at
from vision.cues.port import Cues
from vision.cues.seen import Flame, FlamesSeen
from vision.observation import Observation
from vision.rules.fire import FireRule

SETTINGS = RuleSettings(rule_id="fire", kind=RuleKind.FIRE, params={"threshold_s": 4})


def rule(settings: RuleSettings = SETTINGS, *, zone: Zone | None = None) -> FireRule:
    return FireRule(settings, zone=zone)


def flame(at_s: float, *, since_s: float = 0.0, track_id: str = "rf1", x: float = 0.4) -> Flame:
    seen = followed([(at_s, (x, 0.6))], track_id=track_id, label="fire")
    return Flame(track=replace(seen, is_region=True, first_seen_s=since_s), flicker=0.6)


def look(watch: FireRule, at_s: float, *found: Flame, camera_id: str = "cam") -> list[RuleEvent]:
    cues = Cues(flames=FlamesSeen(flames=found))
    header = header_at(at_s, camera_id=camera_id)
    return watch.update(Observation(header=header, tracks=(), cues=cues))


def test_fires_once() -> None:
    watch = rule()
    assert look(watch, 3.0, flame(3.0)) == []

    [event] = look(watch, 4.0, flame(4.0))

    assert (event.since_s, event.value, event.threshold, event.unit) == (0.0, 4.0, 4.0, "s")
    assert event.detail == {"flicker": "0.60"}
    assert look(watch, 5.0, flame(5.0)) == []
    assert watch.present() == {"rf1"}


@pytest.mark.parametrize(("at_s", "fires"), [(3.99, False), (4.0, True)])
def test_the_threshold_is_a_boundary(at_s: float, fires: bool) -> None:
    assert bool(look(rule(), at_s, flame(at_s))) is fires


def test_a_lamp_that_blinks_is_no_fire() -> None:
    assert look(rule(), 9.0, replace(flame(9.0), is_blinking=True)) == []


def test_a_fire_that_is_mostly_not_seen_is_doubtful() -> None:
    seldom = flame(9.0)
    seldom = replace(seldom, track=replace(seldom.track, hits=4, misses=6))

    assert look(rule(), 9.0, seldom) == []


def test_an_interruption_begins_anew_under_another_id() -> None:
    watch = rule()
    over = flame(3.0)
    look(watch, 2.0, flame(2.0))
    look(watch, 3.0, replace(over, track=replace(over.track, state=TrackState.ENDED)))

    assert look(watch, 6.0, flame(6.0, since_s=5.0, track_id="rf9")) == []
    assert watch.present() == {"rf9"}


def test_two_fires_are_two_events() -> None:
    events = look(rule(), 4.0, flame(4.0), flame(4.0, track_id="rf2", x=0.8))

    assert [event.track_id for event in events] == ["rf1", "rf2"]


def test_cameras_have_their_own_events() -> None:
    ids = {look(rule(), 4.0, flame(4.0), camera_id=name)[0].event_id for name in ("a", "b")}

    assert len(ids) == 2


def test_a_zone_narrows_it() -> None:
    watch = rule(zone=Zone(zone_id="yard", polygon=RIGHT_HALF))

    events = look(watch, 4.0, flame(4.0), flame(4.0, track_id="rf2", x=0.8))

    assert [event.track_id for event in events] == ["rf2"]


@pytest.mark.parametrize("params", [{"threshold_s": -1}, {"flicker": 2}])
def test_refuses_params_it_does_not_know(params: dict[str, float | str]) -> None:
    with pytest.raises(ConfigError, match="rule fire"):
        rule(replace(SETTINGS, params=params))


@given(st.lists(st.tuples(st.floats(0.05, 2.0), st.booleans()), max_size=40))
def test_an_event_is_never_early_nor_said_twice(frames: list[tuple[float, bool]]) -> None:
    watch, now_s, events = rule(), 0.0, []
    for step_s, is_blinking in frames:
        now_s += step_s
        events += look(watch, now_s, replace(flame(now_s), is_blinking=is_blinking))

    assert all(event.value >= 4.0 - 1e-6 for event in events)
    assert len({event.event_id for event in events}) <= 1
