"""The function that everybody asks: spans, several scenes at once, what cannot be told."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.rules import RuleKind, RuleSettings, SceneRules
from tests.fakes.clock import START
from tests.fakes.street_life import EVERY_KIND, street
from tests.fakes.track_archives import InMemoryTracks, archive_of
from tests.vision.backtest.test_equals_live import live
from vision.backtest.answer import BackTest, BackTester
from vision.rules.defaults import with_defaults

FRAMES = street(3, count=12, until_s=120.0)
MINUTE = timedelta(minutes=1)


class GaveUp(Exception):  # noqa: N818  # a test's own
    """Raised by a tick."""


def ask(*scenes: SceneRules, first_s: float = -60.0, last_s: float = 600.0) -> BackTest:
    tester = BackTester(archive_of(FRAMES), close_after_s=10.0, time_zone=None)
    return tester.ask(
        "cam",
        scenes,
        start=START + timedelta(seconds=first_s),
        end=START + timedelta(seconds=last_s),
    )


def changed(rule_id: str, **params: float) -> SceneRules:
    rules = [
        replace(rule, params={**rule.params, **params}) if rule.rule_id == rule_id else rule
        for rule in EVERY_KIND.rules
    ]
    return replace(EVERY_KIND, rules=tuple(rules))


def test_every_rule_says_what_it_said_live() -> None:
    [outcome] = ask(EVERY_KIND).outcomes
    said = live(FRAMES, EVERY_KIND, time_zone=None)

    assert [rule.settings for rule in outcome.rules] == list(EVERY_KIND.rules)
    for rule in outcome.rules:
        wanted = [event for event in said if event.rule_id == rule.settings.rule_id]
        assert list(rule.events) == wanted


def test_a_span_holds_its_first_moment_and_not_its_last() -> None:
    said = live(FRAMES, EVERY_KIND, time_zone=None)
    middle = said[len(said) // 2]
    at_s = (middle.at - START).total_seconds()

    before = ask(EVERY_KIND, last_s=at_s).outcomes[0]
    after = ask(EVERY_KIND, first_s=at_s).outcomes[0]

    found = [
        {event.event_id for rule in one.rules for event in rule.events} for one in (before, after)
    ]
    assert middle.event_id in found[1] - found[0]
    assert len(found[0]) + len(found[1]) == len({event.event_id for event in said})


def test_two_scenes_are_answered_as_if_each_were_asked_about_alone() -> None:
    tried = changed("long", threshold_s=3.0)

    both = ask(EVERY_KIND, tried)

    assert both.outcomes == (ask(EVERY_KIND).outcomes[0], ask(tried).outcomes[0])
    assert both.outcomes[0] != both.outcomes[1]


def test_a_rule_in_another_zone_is_another_rule() -> None:
    zone = replace(EVERY_KIND.zones[0], polygon=((0.0, 0.0), (0.1, 0.0), (0.1, 0.1)))

    now, tried = ask(EVERY_KIND, replace(EVERY_KIND, zones=(zone,))).outcomes

    assert now.rules[0].events
    assert not tried.rules[0].events


def test_what_tracks_cannot_tell_is_said() -> None:
    scene = with_defaults(EVERY_KIND)

    reasons = {rule.settings.kind: rule.why_not for rule in ask(scene).outcomes[0].rules}

    unknown = {kind for kind, reason in reasons.items() if reason}
    assert unknown == {
        RuleKind.TAMPER, RuleKind.FALL, RuleKind.FIGHT, RuleKind.ABANDONED, RuleKind.REMOVED,
        RuleKind.FIRE, RuleKind.SMOKE,
    }  # fmt: skip
    assert reasons[RuleKind.FIGHT] == (
        "fight is told from motion in the pictures; only tracks are kept"
    )


def test_a_sequence_that_hears_such_a_rule_is_said_too() -> None:
    fall = RuleSettings(rule_id="fall", kind=RuleKind.FALL)
    params: dict[str, float | str] = {"first": "fall", "then": "intrusion"}
    heard = RuleSettings(rule_id="both", kind=RuleKind.SEQUENCE, params=params)
    on_top = replace(heard, rule_id="on-top", params={"first": "both", "then": "intrusion"})
    scene = replace(EVERY_KIND, rules=(EVERY_KIND.rules[0], fall, heard, on_top))

    reasons = {rule.settings.rule_id: rule.why_not for rule in ask(scene).outcomes[0].rules}

    assert reasons["intrusion"] == ""
    assert reasons["both"] == "it hears fall, which cannot be replayed"
    assert reasons["on-top"] == "it hears both, which cannot be replayed"


def test_rules_that_are_off_are_not_in_the_answer() -> None:
    off = replace(EVERY_KIND.rules[0], is_enabled=False)

    assert ask(replace(EVERY_KIND, rules=(off,))).outcomes[0].rules == ()


def test_it_is_said_what_was_there() -> None:
    kept = ask(EVERY_KIND, last_s=60.0).kept

    headers = [header for header, _ in FRAMES if header.monotonic_s < 60.0]
    assert kept.frames == len(headers)
    assert (kept.first_at, kept.last_at) == (headers[0].captured_at, headers[-1].captured_at)
    steps = [b.monotonic_s - a.monotonic_s for a, b in itertools.pairwise(headers)]
    assert kept.watched_s == pytest.approx(sum(s for s in steps if s <= 10.0), abs=1e-4)


def test_nothing_stored_is_no_frame() -> None:
    tester = BackTester(InMemoryTracks(), close_after_s=10.0, time_zone=None)

    answer = tester.ask("cam", [EVERY_KIND], start=START, end=START + MINUTE)

    assert (answer.kept.frames, answer.kept.first_at) == (0, None)
    assert not any(rule.events for rule in answer.outcomes[0].rules)


def test_whoever_asks_may_give_up() -> None:
    def tick() -> None:
        raise GaveUp

    tester = BackTester(archive_of(FRAMES), close_after_s=10.0, time_zone=None)

    with pytest.raises(GaveUp):
        tester.ask("cam", [EVERY_KIND], start=START, end=START + MINUTE, tick=tick)
