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
from tests.fakes.scuffles import scuffle
from tests.fakes.tracks import followed, header_at
from vision.cues.port import Cues
from vision.cues.seen import Removal, Smoke, SmokeSeen, ThingsSeen
from vision.observation import Observation
from vision.rules.removed import RemovedRule

SETTINGS = RuleSettings(rule_id="gone", kind=RuleKind.REMOVED, params={"threshold_s": 6})
TAKER = followed([(9.0, (0.9, 0.8))])


def rule(settings: RuleSettings = SETTINGS, *, zone: Zone | None = None) -> RemovedRule:
    return RemovedRule(settings, zone=zone)


def removal(there_s: float = 8.0, *, track_id: str = "rt5", x: float = 0.4) -> Removal:
    place = followed([(9.0, (x, 0.8)), (9.2, (x, 0.8))], track_id=track_id, label="object")
    return Removal(track=replace(place, is_region=True), there_s=there_s, taker=TAKER)


def look(watch: RemovedRule, *removals: Removal, camera_id: str = "cam") -> list[RuleEvent]:
    return watch.update(
        Observation(
            header=header_at(9.2, camera_id=camera_id),
            tracks=(),
            cues=Cues(things=ThingsSeen(removals=removals)),
        )
    )


def test_what_smoke_hides_is_not_gone() -> None:
    watch, gone = rule(), removal()
    cloud = replace(gone.track, track_id="rk1", label="smoke")

    for likelihood, count in ((0.9, 0), (0.4, 1)):
        smoke = Smoke(track=cloud, likelihood=likelihood, sigma=0.1, kept=0.3)
        cues = Cues(things=ThingsSeen(removals=(gone,)), smoke=SmokeSeen(smoke=(smoke,)))
        seen = Observation(header=header_at(9.2), tracks=(), cues=cues)
        assert len(watch.update(seen)) == count


@pytest.mark.parametrize(("likelihood", "count"), [(0.9, 0), (0.4, 1)])
def test_what_goes_over_where_people_fight_was_not_taken(likelihood: float, count: int) -> None:
    watch, gone = rule(), removal()
    fight = scuffle(9.0, likelihood, box=(0.0, 0.0, 1.0, 1.0))
    told = [
        watch.update(
            Observation(
                header=header_at(at_s),
                tracks=(),
                cues=Cues(things=ThingsSeen(removals=gones), scuffles=scuffles),
            )
        )
        for at_s, gones, scuffles in ((9.0, (), (fight,)), (12.0, (gone,), ()))
    ]

    assert [len(events) for events in told] == [0, count]


def test_fires_once_and_says_who_was_there() -> None:
    watch = rule()

    [event] = look(watch, removal())

    assert (event.since_s, event.value, event.threshold) == (9.0, 8.0, 6.0)
    assert event.other_track_ids == ("t1",)
    assert event.detail == {"taker": "t1"}
    assert look(watch, removal()) == []
    assert watch.present() == {"rt5"}


def test_nobody_need_have_been_there() -> None:
    [event] = look(rule(), replace(removal(), taker=None))

    assert event.other_track_ids == ()


def test_does_not_fire_for_what_its_owner_takes_back() -> None:
    assert look(rule(), replace(removal(), is_by_owner=True)) == []


@pytest.mark.parametrize(("there_s", "fires"), [(5.9, False), (6.0, True)])
def test_what_stood_there_for_less_was_only_put_down(there_s: float, fires: bool) -> None:
    assert bool(look(rule(), removal(there_s))) is fires


def test_waits_until_it_is_clear_that_it_is_not_put_down_elsewhere() -> None:
    watch = rule()
    assert look(watch, replace(removal(), is_settled=False)) == []

    assert len(look(watch, removal())) == 1


def test_two_things_are_two_events() -> None:
    events = look(rule(), removal(), removal(track_id="rt9", x=0.7))

    assert [event.track_id for event in events] == ["rt5", "rt9"]


def test_cameras_have_their_own_events() -> None:
    ids = {look(rule(), removal(), camera_id=name)[0].event_id for name in ("a", "b")}

    assert len(ids) == 2


def test_a_zone_narrows_it() -> None:
    watch = rule(zone=Zone(zone_id="hall", polygon=RIGHT_HALF))

    events = look(watch, removal(), removal(track_id="rt9", x=0.7))

    assert [event.track_id for event in events] == ["rt9"]


def test_what_has_been_told_is_over() -> None:
    watch = rule()
    look(watch, removal())
    over = removal()
    look(watch, replace(over, track=replace(over.track, state=TrackState.ENDED)))

    assert watch.present() == frozenset()


@pytest.mark.parametrize("params", [{"threshold_s": -1}, {"grace_s": 2}])
def test_refuses_params_it_does_not_know(params: dict[str, float | str]) -> None:
    with pytest.raises(ConfigError, match="rule gone"):
        rule(replace(SETTINGS, params=params))


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans(), st.booleans()), max_size=40))
def test_never_fires_twice_for_one_removal(looks: list[tuple[float, bool, bool]]) -> None:
    watch = rule()
    events = [
        event
        for there_s, is_settled, is_by_owner in looks
        for event in look(
            watch, replace(removal(there_s), is_settled=is_settled, is_by_owner=is_by_owner)
        )
    ]

    assert len({event.event_id for event in events}) <= 1
    assert all(event.value >= event.threshold - 1e-6 for event in events)
