"""The rule: fires once, sharpens its cause, waits for the cue to be sure."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.cameras import CameraState
from contracts.errors import ConfigError
from contracts.frames import FrameHeader
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from contracts.tracks import TrackState
from tests.fakes.tracks import followed, header_at
from vision.cues.port import Cues
from vision.cues.tampering import Tampering, ViewReading
from vision.observation import Observation
from vision.rules.defaults import ON_BY_DEFAULT, with_defaults
from vision.rules.registry import make_rules
from vision.rules.tamper import TamperRule

COVERED, MOVED = Tampering.COVERED, Tampering.MOVED


def rule(**params: float | str) -> TamperRule:
    return TamperRule(RuleSettings(rule_id="tamper", kind=RuleKind.TAMPER, params=params))


def reading(
    at_s: float,
    *,
    cause: Tampering = COVERED,
    since_s: float = 0.0,
    gone: float = 1.0,
    state: TrackState = TrackState.CONFIRMED,
    region_id: str = "rv1",
) -> ViewReading:
    track = followed([(at_s, (0.5, 1.0))], track_id=region_id, label=cause.label, state=state)
    return ViewReading(
        state=CameraState.BLIND,
        cause=cause,
        gone=gone,
        sigma=0.02,
        since_s=since_s,
        region=replace(track, is_region=True),
    )


def ask(watch: TamperRule, at_s: float, view: ViewReading | None) -> list[RuleEvent]:
    header: FrameHeader = header_at(at_s)
    cues = Cues() if view is None else Cues(view=view)
    return watch.update(Observation(header=header, tracks=(), cues=cues))


def test_it_watches_every_camera_unless_it_is_configured_otherwise() -> None:
    assert ON_BY_DEFAULT[RuleKind.TAMPER] is Severity.HIGH
    made = next(
        rule
        for rule in make_rules(with_defaults(SceneRules()))
        if rule.settings.kind is RuleKind.TAMPER
    )
    assert isinstance(made, TamperRule)


def test_fires_once_and_says_what_is_wrong_and_since_when() -> None:
    watch = rule()

    told = [event for step in range(20) for event in ask(watch, step / 5, reading(step / 5))]

    [event] = told
    assert event.monotonic_s == pytest.approx(1.4)
    assert event.since_s == pytest.approx(0.0)
    assert (event.track_id, event.unit, event.place) == ("rv1", "share", "picture")
    assert (event.value, event.threshold, event.sigma) == (1.0, 0.6, 0.02)
    assert event.detail == {"cause": "covered"}
    assert watch.present() == {"rv1"}


def test_a_view_that_is_well_is_nobodys_news() -> None:
    watch = rule()

    assert ask(watch, 1.0, None) == []
    assert watch.present() == frozenset()


def test_what_the_cue_only_suspects_does_not_fire_but_is_present() -> None:
    watch = rule()

    assert ask(watch, 5.0, reading(5.0, state=TrackState.TENTATIVE)) == []
    assert watch.present() == {"rv1"}


@pytest.mark.parametrize(
    ("lasted_s", "fires"),
    [
        pytest.param(2.9, False, id="a little too short"),
        pytest.param(3.0, True, id="just long enough"),
    ],
)
def test_threshold(lasted_s: float, fires: bool) -> None:
    assert bool(ask(rule(threshold_s=3.0), lasted_s, reading(lasted_s))) is fires


@pytest.mark.parametrize(("gone", "fires"), [(0.79, False), (0.8, True)])
def test_share(gone: float, fires: bool) -> None:
    assert bool(ask(rule(share=0.8), 2.0, reading(2.0, gone=gone))) is fires


def test_a_cause_that_sharpens_is_told_of_the_same_region() -> None:
    watch = rule()

    [first] = ask(watch, 2.0, reading(2.0))
    [second] = ask(watch, 4.0, reading(4.0, cause=MOVED))

    assert first.track_id == second.track_id
    assert first.event_id != second.event_id
    assert second.detail == {"cause": "moved"}
    assert second.since_s == pytest.approx(4.0)
    assert ask(watch, 4.2, reading(4.2, cause=MOVED)) == []


def test_an_interruption_makes_two_of_it() -> None:
    watch = rule()
    [first] = ask(watch, 2.0, reading(2.0))
    ended = reading(3.0, state=TrackState.ENDED)
    assert ask(watch, 3.0, ended) == []
    assert watch.present() == frozenset()

    assert ask(watch, 5.0, reading(5.0, since_s=4.0, region_id="rv2")) == []
    [second] = ask(watch, 5.6, reading(5.6, since_s=4.0, region_id="rv2"))

    assert second.event_id != first.event_id
    assert second.since_s == pytest.approx(4.0)


def test_two_cameras_share_nothing() -> None:
    gate, yard = rule(), rule()
    ask(gate, 2.0, reading(2.0))

    assert yard.present() == frozenset()
    assert len(ask(yard, 2.0, reading(2.0))) == 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"threshold_s": 1.0}, r"threshold_s must be a number >= 1.4, got 1.0"),
        ({"share": "half"}, r"share must be a number >= 0, got 'half'"),
        ({"cause": "black"}, r"unknown parameter\(s\) cause; known are threshold_s, share"),
    ],
)
def test_refuses_params_and_names_them(params: dict[str, float | str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rule(**params)


STEPS = st.lists(
    st.tuples(
        st.floats(0.05, 2.0),
        st.sampled_from([None, *Tampering]),
        st.floats(0.0, 1.0),
        st.sampled_from([TrackState.TENTATIVE, TrackState.CONFIRMED]),
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_whatever_comes_each_statement_rests_on_enough_and_none_is_made_twice(
    steps: list[tuple[float, Tampering | None, float, TrackState]],
) -> None:
    watch = rule(threshold_s=2.0, share=0.7)
    at_s, since_s, count = 0.0, 0.0, 0
    told: list[RuleEvent] = []
    for step_s, cause, gone, state in steps:
        at_s += step_s
        if cause is None:
            since_s, count = at_s, count + 1
            assert ask(watch, at_s, None) == []
            continue
        view = reading(
            at_s, cause=cause, since_s=since_s, gone=gone, state=state, region_id=f"rv{count}"
        )
        for event in ask(watch, at_s, view):
            assert at_s - since_s >= 2.0 - 1e-6
            assert event.value == gone >= 0.7
            assert state is TrackState.CONFIRMED
            told.append(event)
    assert len({event.event_id for event in told}) == len(told)
    for before, after in itertools.pairwise(told):
        assert (before.track_id, before.detail) != (after.track_id, after.detail)
