"""What stories are written with."""

import numpy as np
import pytest

from contracts.rules import RuleKind
from moe_core.training.world.script import Script
from moe_core.training.world.site import make_site
from moe_core.training.world.stories import STORIES, make_scene
from vision.rules.defaults import with_defaults
from vision.rules.registry import make_rules


def script(seed: int) -> Script:
    return Script(rng=np.random.default_rng(seed), site=make_site(seed), seconds=20.0)


@pytest.mark.parametrize("seed", range(12))
def test_zones_lie_where_people_can_walk(seed: int) -> None:
    written = script(seed)
    zone = written.zone()
    for _ in range(5):
        place = written.inside(zone)
        assert zone.depth(written.site.view.foot(*place)) > 0


@pytest.mark.parametrize("seed", range(12))
def test_places_outside_a_zone_lie_outside(seed: int) -> None:
    written = script(seed)
    zone = written.zone()
    places = [written.depth_in(zone, -0.03, -0.003) for _ in range(10)]
    depths = [zone.depth(written.site.view.foot(*place)) for place in places]
    assert max(depths) < 0.001


@pytest.mark.parametrize("family", list(STORIES))
def test_vision_takes_the_rules_of_every_story(family: str) -> None:
    for seed in range(4):
        scene = make_scene(seed, site=seed, family=family)
        assert make_rules(with_defaults(scene.rules))


def test_a_scene_lasts_until_what_is_expected() -> None:
    written = script(1)
    actor = written.add(written.walk().to(written.anywhere()))
    written.expect(RuleKind.LOITER, actor, 90.0)
    assert written.seconds > 90.0


def test_a_way_takes_as_long_as_its_pace_says() -> None:
    written = script(2)
    way = written.walk((0.0, 10.0), at_s=1.0, pace=2.0).to((8.0, 10.0), spread=0.0).wait(3.0)
    assert way.now_s == pytest.approx(1.0 + 4.0 + 3.0)
    assert way.at == (8.0, 10.0)


def test_a_way_shifted_begins_later_and_beside() -> None:
    written = script(2)
    way = written.walk((0.0, 10.0), pace=2.0).to((4.0, 10.0))
    other = way.shifted((1.0, 0.5), later_s=2.0)
    assert other.now_s == pytest.approx(way.now_s + 2.0)
    assert other.at == pytest.approx((5.0, 10.5))
