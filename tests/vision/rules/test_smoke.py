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
from vision.cues.seen import Smoke, SmokeSeen
from vision.observation import Observation
from vision.rules.smoke import SmokeRule

SETTINGS = RuleSettings(rule_id="smoke", kind=RuleKind.SMOKE, params={"lasts_s": 6})


def rule(settings: RuleSettings = SETTINGS, *, zone: Zone | None = None) -> SmokeRule:
    return SmokeRule(settings, zone=zone)


def smoke(
    at_s: float,
    *,
    since_s: float = 0.0,
    track_id: str = "rk1",
    x: float = 0.4,
    likelihood: float = 0.9,
) -> Smoke:
    seen = followed([(at_s, (x, 0.6))], track_id=track_id, label="smoke")
    region = replace(seen, is_region=True, first_seen_s=since_s)
    return Smoke(track=region, likelihood=likelihood, sigma=0.1, kept=0.4, grown=3.0)


def look(watch: SmokeRule, at_s: float, *found: Smoke, camera_id: str = "cam") -> list[RuleEvent]:
    cues = Cues(smoke=SmokeSeen(smoke=found))
    header = header_at(at_s, camera_id=camera_id)
    return watch.update(Observation(header=header, tracks=(), cues=cues))


def test_fires_once() -> None:
    watch = rule()
    assert look(watch, 5.0, smoke(5.0)) == []

    [event] = look(watch, 6.0, smoke(6.0))

    assert (event.since_s, event.value, event.threshold, event.unit) == (0.0, 0.9, 0.7, "share")
    assert event.sigma == 0.1
    assert event.detail == {"lasted_s": "6.0", "kept": "0.40", "grown": "3.0"}
    assert look(watch, 7.0, smoke(7.0)) == []
    assert watch.present() == {"rk1"}


@pytest.mark.parametrize(("at_s", "fires"), [(5.99, False), (6.0, True)])
def test_how_long_it_lasts_is_a_boundary(at_s: float, fires: bool) -> None:
    assert bool(look(rule(), at_s, smoke(at_s))) is fires


@pytest.mark.parametrize(("likelihood", "fires"), [(0.69, False), (0.7, True)])
def test_the_threshold_is_a_boundary(likelihood: float, fires: bool) -> None:
    assert bool(look(rule(), 9.0, smoke(9.0, likelihood=likelihood))) is fires


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(replace(smoke(9.0), is_at_foot=False), id="a puff that drifted away"),
        pytest.param(replace(smoke(9.0), grown=1.1), id="what does not spread"),
    ],
)
def test_what_smoke_does_not_do_is_not_reported(seen: Smoke) -> None:
    assert look(rule(), 9.0, seen) == []


def test_smoke_that_is_mostly_not_seen_is_doubtful() -> None:
    seldom = smoke(9.0)
    seldom = replace(seldom, track=replace(seldom.track, hits=4, misses=6))

    assert look(rule(), 9.0, seldom) == []


def test_an_interruption_begins_anew_under_another_id() -> None:
    watch = rule()
    over = smoke(5.0)
    look(watch, 4.0, smoke(4.0))
    look(watch, 5.0, replace(over, track=replace(over.track, state=TrackState.ENDED)))

    assert look(watch, 10.0, smoke(10.0, since_s=7.0, track_id="rk9")) == []
    assert watch.present() == {"rk9"}


def test_two_plumes_are_two_events() -> None:
    events = look(rule(), 6.0, smoke(6.0), smoke(6.0, track_id="rk2", x=0.8))

    assert [event.track_id for event in events] == ["rk1", "rk2"]


def test_cameras_have_their_own_events() -> None:
    ids = {look(rule(), 6.0, smoke(6.0), camera_id=name)[0].event_id for name in ("a", "b")}

    assert len(ids) == 2


def test_a_zone_narrows_it_to_what_comes_from_there() -> None:
    watch = rule(zone=Zone(zone_id="yard", polygon=RIGHT_HALF))

    events = look(watch, 6.0, smoke(6.0), smoke(6.0, track_id="rk2", x=0.8))

    assert [event.track_id for event in events] == ["rk2"]


@pytest.mark.parametrize(
    "params", [{"threshold": -1}, {"threshold": 1}, {"lasts_s": "x"}, {"a": 2}]
)
def test_refuses_params_it_does_not_know(params: dict[str, float | str]) -> None:
    with pytest.raises(ConfigError, match="rule smoke"):
        rule(replace(SETTINGS, params=params))


@given(st.lists(st.tuples(st.floats(0.05, 2.0), st.floats(0, 1)), max_size=40))
def test_an_event_is_never_early_nor_doubtful_nor_said_twice(
    frames: list[tuple[float, float]],
) -> None:
    watch, now_s, events = rule(), 0.0, []
    for step_s, likelihood in frames:
        now_s += step_s
        events += look(watch, now_s, smoke(now_s, likelihood=likelihood))

    assert all(event.monotonic_s >= 6.0 - 1e-6 and event.value >= 0.7 for event in events)
    assert len(events) <= 1
