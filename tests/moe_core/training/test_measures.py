"""How good chains are, counted by hand on a few."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moe_core.claims import MEETS_RULE
from moe_core.decoding import CONTEXT, Floors, Written
from moe_core.training.examples import Example, example_of, labelled
from moe_core.training.measures import (
    Tally,
    answered,
    calibration_error,
    chance_of,
    of_core,
    of_program,
)
from tests.moe_core.checking import NEAR, ZONE
from tests.moe_core.cores import REFUTED, core_of, network_of
from tests.moe_core.training.samples import examples, truth_about
from tests.moe_core.trusts import trust_of

REAL = example_of(NEAR, truth_about(NEAR))
DREAMT = example_of(NEAR, truth_about(NEAR, is_real=False))


def tally(one: Example, chain: object = None, *, chance: float = 0.5) -> Tally:
    found = Tally()
    found.add(one, one.chain if chain is None else chain, chance)  # type: ignore[arg-type]  # a chain
    return found


def all_of(one: Example) -> range:
    return range(len(one.prompt.proposals))


def test_the_perfect_chain_is_all_true_and_leaves_nothing_out() -> None:
    found = tally(REAL)

    assert (found.h_true, found.omission) == (0.0, 0.0)
    assert found.claims == len(REAL.chain or ())
    assert (found.f1, found.accuracy) == (1.0, 1.0)


def test_saying_nothing_is_never_untrue_but_leaves_all_out() -> None:
    found = tally(REAL, ())

    assert (found.h_true, found.omission) == (0.0, 1.0)
    assert (found.f1, found.accuracy) == (0.0, 0.0)


def test_what_is_told_and_untrue_is_counted() -> None:
    found = tally(DREAMT, all_of(DREAMT))

    assert found.untrue == 2
    assert found.h_true == pytest.approx(2 / len(DREAMT.prompt.proposals))
    assert (found.said, found.real) == ([True], [False])


def test_surroundings_that_are_left_out_are_no_omission() -> None:
    claims = REAL.prompt.proposals.claims
    lean = [index for index in REAL.chain or () if claims[index].predicate not in CONTEXT]

    assert len(lean) < len(REAL.chain or ())
    assert tally(REAL, lean).omission == 0.0


def test_a_statement_that_is_shown_as_refuted_is_no_claim() -> None:
    refuted = example_of(REFUTED, truth_about(REFUTED, is_real=False))
    claims = refuted.prompt.proposals.claims
    chain = [index for index, claim in enumerate(claims) if claim.predicate == MEETS_RULE]

    assert tally(refuted, chain).claims == 0


def test_of_recordings_only_the_verdict_counts() -> None:
    found = tally(labelled(ZONE, is_real=True, site=-1, family="yard"), ())

    assert (found.claims, found.decisive) == (0, 0)
    assert (found.said, found.real) == ([False], [True])


def test_f1_of_two_hits_one_miss_and_one_false_alarm() -> None:
    found = Tally(said=[True, True, False, True, False], real=[True, True, True, False, False])

    assert found.f1 == pytest.approx(2 * 2 / (3 + 3))
    assert found.accuracy == pytest.approx(3 / 5)


def test_brier_is_the_mean_square_of_the_error() -> None:
    found = Tally(chances=[1.0, 0.5], real=[True, False])

    assert found.brier == pytest.approx(0.125)


def test_a_tally_of_nothing_is_nothing() -> None:
    found = Tally()

    assert (found.h_true, found.omission, found.f1) == (0.0, 0.0, 0.0)
    assert (found.accuracy, found.brier, found.ece) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("chances", "real", "error"),
    [
        pytest.param([1.0, 0.0], [True, False], 0.0, id="always right"),
        pytest.param([1.0, 0.0], [False, True], 1.0, id="always wrong"),
        pytest.param([0.5] * 4, [True, False] * 2, 0.0, id="honest doubt"),
        pytest.param([0.9] * 10, [True] * 9 + [False], 0.0, id="nine of ten"),
        pytest.param([0.9] * 10, [True] * 5 + [False] * 5, 0.4, id="too sure"),
        pytest.param([0.95] * 2 + [0.05] * 2, [True] * 4, 0.5, id="mean of two bins"),
        pytest.param([], [], 0.0, id="of nothing"),
    ],
)
def test_calibration_error(chances: list[float], real: list[bool], error: float) -> None:
    assert calibration_error(chances, real) == pytest.approx(error)


@given(found=st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_calibration_error_is_a_share(found: list[tuple[float, bool]]) -> None:
    chances, real = zip(*found, strict=True)

    assert 0 <= calibration_error(chances, real) <= 1


def wrote(logit: float) -> Written:
    return Written(chain=(), truth_C=np.zeros(0), real_logit=logit, passes=1)


def test_confidence_is_the_calibrated_logit() -> None:
    assert chance_of(wrote(0.0)) == 0.5
    assert chance_of(wrote(1.0), scale=2.0, shift=-2.0) == 0.5
    assert chance_of(wrote(1e9)) == pytest.approx(1.0)
    assert chance_of(wrote(-1e9)) == pytest.approx(0.0)


def test_the_program_tells_all_that_it_drafts() -> None:
    found = of_program(examples())

    assert found.omission == 0.0
    assert found.chances == [one.program_chance for one in examples()]


def test_a_core_is_counted_as_it_writes() -> None:
    silent = of_core(
        network_of(1), examples()[:2], floors=Floors(claim=1.1, hypothesis=1.1, context=1.1)
    )
    sure = of_core(network_of(1), examples()[:2], floors=Floors(), scale=0.0, shift=3.0)

    assert (silent.omission, silent.said) == (1.0, [False, False])
    assert sure.chances == pytest.approx([1 / (1 + np.exp(-3.0))] * 2)


def test_what_is_believed_and_what_is_trusted_are_counted_apart() -> None:
    core = core_of(network_of(1), floors=Floors())
    doubting = replace(core, trust=trust_of(claims=-9.0, event=-1.0))
    found = examples()[:3]
    bare, judged = answered(core, found), answered(doubting, found)

    assert [one.believed for one in judged] == [one.believed for one in bare]
    assert all(one.believed == one.trusted for one in bare)
    assert [one.trusted[1] for one in judged] == pytest.approx([1 / (1 + np.exp(1.0))] * 3)
    assert all(
        not [index for index in answer.trusted[0] if one.prompt.proposals.statuses_C[index] == 0]
        for one, answer in zip(found, judged, strict=True)
    )
    tally = of_core(core.network, found, floors=core.floors)
    assert [one.believed[1] for one in bare] == pytest.approx(tally.chances)


def test_examples_are_left_as_they_are() -> None:
    before = replace(REAL)
    tally(REAL, all_of(REAL))

    assert before.chain == REAL.chain
