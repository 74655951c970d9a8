"""Scenes that can be written down but not watched are refused, with the reason."""

import pytest

from contracts.errors import ConfigError
from contracts.geometry import Calibration, Point, Zone
from contracts.rules import RuleKind, RuleSettings, SceneRules
from vision.rules.registry import make_rules
from vision.scene_check import check_zone

HOURGLASS: tuple[Point, ...] = ((0.2, 0.2), (0.8, 0.2), (0.3, 0.8), (0.7, 0.9))


def rule(rule_id: str, kind: RuleKind = RuleKind.RUNNING, **params: str) -> RuleSettings:
    return RuleSettings(rule_id=rule_id, kind=kind, params=params)


def test_a_zone_whose_edges_cross_is_refused_and_they_are_numbered() -> None:
    with pytest.raises(ConfigError, match="zone bow: its edges 2 and 4 cross"):
        check_zone(Zone(zone_id="bow", polygon=HOURGLASS))


@pytest.mark.parametrize(
    "polygon",
    [
        ((0.1, 0.1), (0.9, 0.1), (0.5, 0.9)),
        ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.5, 0.3), (0.1, 0.9)),
        ((0.1, 0.1), (0.5, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)),
        ((0.1, 0.1), (0.9, 0.1), (0.9, 0.1), (0.9, 0.9)),
    ],
    ids=["triangle", "notched", "a corner on an edge", "a corner twice"],
)
def test_a_zone_that_touches_itself_at_most_is_taken(polygon: tuple[Point, ...]) -> None:
    check_zone(Zone(zone_id="z", polygon=polygon))


def test_making_rules_checks_the_scene() -> None:
    with pytest.raises(ConfigError, match="edges 2 and 4 cross"):
        make_rules(SceneRules(zones=(Zone(zone_id="bow", polygon=HOURGLASS),)))
    flat = Calibration(
        picture=((0.1, 0.1), (0.2, 0.1), (0.3, 0.1), (0.4, 0.9)),
        ground=((0, 0), (1, 0), (2, 0), (3, 3)),
    )
    with pytest.raises(ConfigError, match=r"lie \(nearly\) on one line"):
        make_rules(SceneRules(calibration=flat))
    bad = RuleSettings(rule_id="r", kind=RuleKind.RUNNING, schedule=("someday",))
    with pytest.raises(ConfigError, match="rule r: schedule 'someday'"):
        make_rules(SceneRules(rules=(bad,)))


def test_a_sequence_names_rules_that_it_can_hear() -> None:
    run, fast = rule("a"), rule("b")
    chain = rule("s", RuleKind.SEQUENCE, first="a", then="b")
    longer = rule("l", RuleKind.SEQUENCE, first="s", then="a")

    assert len(make_rules(SceneRules(rules=(chain, run, fast, longer)))) == 4


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ((rule("s", RuleKind.SEQUENCE, first="a", then="x"), rule("a")), "then must .* got 'x'"),
        ((rule("s", RuleKind.SEQUENCE, first="s", then="a"), rule("a")), "first must .* got 's'"),
        ((rule("s", RuleKind.SEQUENCE, then="a"), rule("a")), "first must .* got None"),
        (
            (
                rule("s", RuleKind.SEQUENCE, first="later", then="a"),
                rule("later", RuleKind.SEQUENCE, first="a", then="a"),
                rule("a"),
            ),
            "only one that stands before it",
        ),
    ],
)
def test_a_sequence_of_what_is_not_there_is_refused(
    rules: tuple[RuleSettings, ...], wanted: str
) -> None:
    with pytest.raises(ConfigError, match=f"rule s .sequence.: .*{wanted}"):
        make_rules(SceneRules(rules=rules))
