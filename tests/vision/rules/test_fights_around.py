"""A fight explains what goes over in it: there and then, and nothing else."""

import pytest

from tests.fakes.scuffles import ELSEWHERE, PLACE, scene, scuffle
from vision.rules.fights_around import REMEMBER_S, FightsAround

THING = (0.45, 0.6, 0.55, 0.75)


def after(*likelihoods_at: tuple[float, float], seen: bool = True) -> FightsAround:
    fights = FightsAround()
    for at_s, likelihood in likelihoods_at:
        fights.look(scene(at_s, scuffle(at_s, likelihood, since_s=at_s, is_seen=seen)))
    return fights


def test_what_stood_where_people_fought_went_over() -> None:
    assert after((9.8, 0.8), (10.0, 0.8)).explain(THING, at_s=10.2)


@pytest.mark.parametrize(
    ("at_s", "is_so"), [(10.9, True), (9.1, True), (11.2, False), (8.8, False)]
)
def test_only_what_went_during_the_fight_has_to_do_with_it(at_s: float, is_so: bool) -> None:
    assert after((10.0, 0.8)).explain(THING, at_s=at_s) == is_so


def test_only_what_stood_there_has_to_do_with_it() -> None:
    assert not after((10.0, 0.8)).explain(ELSEWHERE, at_s=10.0)
    half_out = (PLACE[2] - 0.04, 0.6, PLACE[2] + 0.06, 0.75)
    assert not after((10.0, 0.8)).explain(half_out, at_s=10.0)


def test_what_may_be_no_fight_explains_nothing() -> None:
    assert not after((10.0, 0.4)).explain(THING, at_s=10.0)
    assert not after((10.0, 0.8), seen=False).explain(THING, at_s=10.0)


def test_long_ago_is_forgotten() -> None:
    fights = after((10.0, 0.8))

    fights.look(scene(10.0 + REMEMBER_S + 0.2))

    assert not fights.explain(THING, at_s=10.0)
