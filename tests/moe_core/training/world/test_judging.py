"""Whether what a rule says is true of a scene that is known exactly."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.geometry import Line, Zone
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings, Severity
from moe_core.training.world.judging import fastest_mps, is_about, is_true
from moe_core.training.world.scene import Scene, play
from moe_core.training.world.script import Script
from moe_core.training.world.site import Site, make_site
from moe_core.training.world.truth import Past

HALF = Zone(zone_id="right", polygon=((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)))
MIDDLE = Line(line_id="middle", points=((0.5, 1.0), (0.5, 0.0)))
"""Walked upwards: who goes to the right in the picture goes to its right."""


@pytest.fixture(scope="module")
def site() -> Site:
    return next(one for one in map(make_site, range(50)) if one.lost_share == 0)


def walked(site: Site, *, label: str = "person", pace: float = 1.5, back: bool = False) -> Scene:
    """Somebody walks from left to right across the middle of the picture."""
    script = Script(rng=np.random.default_rng(1), site=site, seconds=12.0)
    z = site.near_m + 4
    half = 0.6 * site.view.half_width_m(z)
    script.zones.append(HALF)
    script.lines.append(MIDDLE)
    for kind in (RuleKind.INTRUSION, RuleKind.LOITER, RuleKind.ZONE_EXIT):
        script.rule(kind, zone=HALF, labels=("person",))
    for kind in (RuleKind.LINE_CROSS, RuleKind.TAILGATE):
        script.rule(kind, line=MIDDLE, labels=("person",))
    script.rule(RuleKind.RUNNING)
    way = script.walk((-half, z), pace=pace).to((half, z), spread=0.0)
    if back:
        way.to((-half, z), spread=0.0)
    script.add(way.wait(20), label=label, sway_m=0.0)
    return play(script, seed=1, family="test", is_look_alike=False)


def crosses_s(scene: Scene) -> float:
    """When the foot comes over the middle."""
    feet = Past(scene=scene).feet(0)[:, 0]
    return float(scene.times_T[int(np.argmax(feet > 0.5))])


def stated(scene: Scene, kind: RuleKind, at_s: float, **changes: object) -> RuleEvent:
    rule = next(one for one in scene.rules.rules if one.kind is kind)
    event = RuleEvent(
        event_id="re_1",
        rule_id=rule.rule_id,
        rule_version=1,
        kind=kind,
        severity=Severity.LOW,
        track_id="t1",
        zone_id=rule.zone_id,
        line_id=rule.line_id,
        at=scene.at(at_s),
        monotonic_s=at_s,
        frame_seq=round(at_s * 5),
        since_at=scene.at(at_s),
        since_s=at_s,
        value=1.0,
        threshold=1.0,
        sigma=0.1,
        unit="s",
    )
    return replace(event, **changes)  # type: ignore[arg-type]


def test_an_intrusion_is_true_while_the_foot_is_inside(site: Site) -> None:
    scene = walked(site)
    at_s, past = crosses_s(scene), Past(scene=scene)
    assert is_true(past, stated(scene, RuleKind.INTRUSION, at_s + 0.5), owner="o1")
    assert is_true(past, stated(scene, RuleKind.INTRUSION, at_s - 0.8), owner="o1")
    assert not is_true(past, stated(scene, RuleKind.INTRUSION, at_s - 1.5), owner="o1")


@pytest.mark.parametrize("owner", ["", "o7"])
def test_nothing_is_true_of_nobody(site: Site, owner: str) -> None:
    scene = walked(site)
    event = stated(scene, RuleKind.INTRUSION, crosses_s(scene) + 1)
    assert not is_true(Past(scene=scene), event, owner=owner)


def test_a_dog_is_no_person(site: Site) -> None:
    scene = walked(site, label="dog")
    event = stated(scene, RuleKind.INTRUSION, crosses_s(scene) + 1)
    assert not is_true(Past(scene=scene), event, owner="o1")


def test_loitering_takes_as_long_as_is_asked(site: Site) -> None:
    scene = walked(site)
    at_s, past = crosses_s(scene), Past(scene=scene)
    event = stated(scene, RuleKind.LOITER, at_s + 3.0, since_s=at_s)
    assert is_true(past, replace(event, threshold=3.0), owner="o1")
    assert not is_true(past, replace(event, threshold=4.6), owner="o1")


@pytest.mark.parametrize(("direction", "expected"), [("right", True), ("left", False)])
def test_a_crossing_has_a_direction(site: Site, *, direction: str, expected: bool) -> None:
    scene = walked(site)
    event = stated(scene, RuleKind.LINE_CROSS, crosses_s(scene), detail={"direction": direction})
    assert is_true(Past(scene=scene), event, owner="o1") is expected


def test_a_crossing_elsewhen_is_none(site: Site) -> None:
    scene = walked(site)
    late_s = crosses_s(scene) + 2.0
    event = stated(scene, RuleKind.LINE_CROSS, late_s, detail={"direction": "right"})
    assert not is_true(Past(scene=scene), event, owner="o1")


def test_nobody_tailgates_himself(site: Site) -> None:
    scene = walked(site)
    event = stated(
        scene, RuleKind.TAILGATE, crosses_s(scene), detail={"direction": "right"}, value=0.0
    )
    assert not is_true(Past(scene=scene), event, owner="o1", others=("o1",))


def test_whoever_stays_inside_has_not_left(site: Site) -> None:
    scene = walked(site)
    event = stated(scene, RuleKind.ZONE_EXIT, crosses_s(scene) + 3)
    assert not is_true(Past(scene=scene), event, owner="o1")


def test_whoever_goes_back_has_left(site: Site) -> None:
    scene = walked(site, pace=3.0, back=True)
    past = Past(scene=scene)
    inside = np.flatnonzero(past.inside(0, HALF))
    left_s = float(scene.times_T[inside[-1]])
    event = stated(scene, RuleKind.ZONE_EXIT, left_s + 1.0, since_s=left_s)
    assert is_true(past, event, owner="o1")


def test_a_pace_is_that_of_the_fastest_second(site: Site) -> None:
    scene = walked(site, pace=2.0)
    past = Past(scene=scene)
    assert fastest_mps(past, 0, 0.0, 10.0) == pytest.approx(2.0, rel=0.02)
    assert fastest_mps(past, 0, 0.0, 0.5) == 0.0


@pytest.mark.parametrize(
    ("labels", "label", "expected"),
    [
        ((), "person", True),
        ((), "dog", True),
        (("person",), "dog", False),
        (("vehicle",), "car", True),
        (("object",), "cat", True),
    ],
)
def test_whom_a_rule_is_about(labels: tuple[str, ...], label: str, *, expected: bool) -> None:
    rule = RuleSettings(rule_id="a", kind=RuleKind.ZONE_ENTRY, zone_id="z", labels=labels)
    assert is_about(rule, label) is expected


def test_crowds_are_of_people_unless_said_otherwise() -> None:
    assert not is_about(RuleSettings(rule_id="a", kind=RuleKind.CROWD), "car")
