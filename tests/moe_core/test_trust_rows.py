"""What trust is judged by, read off incidents."""

from dataclasses import replace

import numpy as np
import pytest

from moe_core.claims import MEETS_RULE
from moe_core.tokens.prompt import Prompt
from moe_core.tokens.vocabulary import FAMILIES, PREDICATE_NAMES
from moe_core.trust_rows import (
    COLUMNS,
    SURE,
    Believed,
    Floats,
    is_context,
    is_deciding,
    log_odds,
    partners,
    rows_of,
)
from tests.moe_core.cores import INCIDENTS, crowded, prompt

PROMPTS = {name: prompt(incident) for name, incident in INCIDENTS.items()}


def rows(found: Prompt, claims: Floats | None = None, real: float = 0.0) -> dict[str, Floats]:
    beliefs = np.arange(len(found.proposals)) / 10 if claims is None else claims
    told = rows_of(
        found,
        Believed(claims_C=beliefs, real=real, program=1.5),
        by_predicate=np.arange(len(PREDICATE_NAMES)) / 10,
        by_kind=np.arange(len(FAMILIES)) / 10,
    )
    return dict(zip(COLUMNS, told.T, strict=True))


@pytest.mark.parametrize("name", PROMPTS)
def test_every_claim_has_a_row_of_numbers(name: str) -> None:
    found = rows(PROMPTS[name])

    assert all(np.isfinite(values).all() for values in found.values())
    assert {len(values) for values in found.values()} == {len(PROMPTS[name].proposals)}
    assert (found["program"] == 1.5).all()
    assert found["predicate"] == pytest.approx(PROMPTS[name].proposals.predicates_C / 10)


def test_what_is_sure_beyond_measure_is_bounded() -> None:
    found = rows(PROMPTS["zone"], np.full(len(PROMPTS["zone"].proposals), 1e9), real=-1e9)

    assert (found["belief"] == SURE).all()
    assert (found["real"] == -SURE).all()
    assert np.abs(found["track_mean"]).max() <= SURE


def test_claims_about_one_track_are_known_to_each_other() -> None:
    """Two tracks: what is believed of one says nothing of the other."""
    found = PROMPTS["half refuted"]
    slots = found.proposals.slots_C
    assert {1, 2} <= set(slots)
    before = rows(found)
    beliefs = np.arange(len(found.proposals)) / 10
    beliefs[slots == 1] -= 5
    after = rows(found, beliefs)

    for name in ("track_mean", "track_present", "track_meets"):
        assert (after[name][slots == 1] < before[name][slots == 1]).all()
        assert (after[name][slots == 2] == before[name][slots == 2]).all()


def test_a_rule_and_its_hypothesis_stand_and_fall_together() -> None:
    found = PROMPTS["half refuted"]
    pair, deciding = partners(found), is_deciding(found)
    predicates = [claim.predicate for claim in found.proposals.claims]

    assert (pair[pair] == np.arange(len(pair))).all()
    assert (pair[~deciding] == np.flatnonzero(~deciding)).all()
    for own, other in enumerate(pair):
        if deciding[own]:
            assert (predicates[own] == MEETS_RULE) != (predicates[other] == MEETS_RULE)
            assert (
                found.proposals.claims[own].args["track"]
                == found.proposals.claims[other].args["track"]
            )
    assert not (is_context(found) & deciding).any()


def test_facts_that_nobody_needs_change_nothing_but_the_camera() -> None:
    """Else a verdict would not stay without what it does not cite."""
    first, second = rows(PROMPTS["zone"]), rows(prompt(crowded(INCIDENTS["zone"], 20)))

    changed = {name for name in COLUMNS if not np.array_equal(first[name], second[name])}
    assert changed <= {"away_for", "since_first"}


def test_larger_people_cover_more_of_the_picture() -> None:
    track = INCIDENTS["zone"].tracks[0]
    points = tuple(
        replace(point, box=(max(0.0, x1 - 0.1), max(0.0, y1 - 0.1), x2, y2))
        for point in track.points
        for x1, y1, x2, y2 in (point.box,)
    )
    near = replace(INCIDENTS["zone"], tracks=(replace(track, points=points),))
    far, close = rows(PROMPTS["zone"]), rows(prompt(near))

    assert close["cover"][0] > far["cover"][0]
    assert close["tallest"][0] > far["tallest"][0]
    box = track.points[0].box
    assert far["tallest"][0] == pytest.approx(box[3] - box[1], rel=0.05)


@pytest.mark.parametrize(("chance", "odds"), [(0.5, 0.0), (0.9, 2.197), (0.0, -13.8), (1.0, 13.8)])
def test_log_odds_are_finite(chance: float, odds: float) -> None:
    assert log_odds(chance) == pytest.approx(odds, abs=0.02)
