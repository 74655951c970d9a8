"""What the core learns from: chains that are legal, true and whole; slots that are only names."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.reasoning import ClaimStatus
from moe_core.claims import MEETS_RULE
from moe_core.decoding import may_follow, stands
from moe_core.hypotheses import ALARMING
from moe_core.program import ProgramReasoner
from moe_core.tokens.prompt import MAX_TICK
from moe_core.tokens.vocabulary import SLOTS
from moe_core.training.examples import UNKNOWN, Example, example_of, labelled, shuffled, told
from tests.fakes.clock import ManualClock
from tests.moe_core.checking import NEAR, ZONE
from tests.moe_core.cores import REFUTED
from tests.moe_core.training.samples import examples, rng, samples, truth_about

REAL = example_of(NEAR, truth_about(NEAR))


@pytest.fixture(params=range(4), ids=lambda seed: f"seed {seed}")
def mixed(request: pytest.FixtureRequest) -> Example:
    return shuffled(REAL, rng(request.param), noise=0.0)


def test_chains_are_legal_and_hold_all_that_is_true_and_stands() -> None:
    for one in examples():
        chain, claims = one.chain or (), one.prompt.proposals.claims
        for step, index in enumerate(chain):
            assert may_follow(one.prompt, chain[:step], allowed_C=stands(one.prompt))[index]
        told_all = {
            index
            for index in np.flatnonzero(one.true_C == 1)
            if claims[index].status is ClaimStatus.SUPPORTED
            and one.prompt.proposals.needs_C[index] in (-1, *chain)
        }
        assert told_all <= set(chain)
        for index in chain:
            is_refuted = claims[index].status is ClaimStatus.CONTRADICTED
            assert one.true_C[index] == 1 or is_refuted


def test_simulated_scenes_hold_what_happened_and_what_did_not() -> None:
    assert {one.is_real for one in examples()} == {True, False}
    for one in examples():
        claims = one.prompt.proposals.claims
        alarming = {index for index, claim in enumerate(claims)
                    if claim.predicate in ALARMING.values()}  # fmt: skip
        assert bool(alarming & set(one.chain or ())) is any(one.true_C[list(alarming)])


def test_an_untrue_statement_is_not_told_unless_measurement_refutes_it() -> None:
    dreamt = example_of(ZONE, truth_about(ZONE, is_real=False))
    refuted = example_of(REFUTED, truth_about(REFUTED, is_real=False))

    def told_predicates(one: Example) -> set[str]:
        return {one.prompt.proposals.claims[index].predicate for index in one.chain or ()}

    assert MEETS_RULE not in told_predicates(dreamt)
    assert MEETS_RULE in told_predicates(refuted)
    assert "is_intrusion" not in told_predicates(dreamt) | told_predicates(refuted)


def test_nothing_true_leaves_an_empty_chain() -> None:
    assert told(REAL.prompt, np.zeros(len(REAL.prompt.proposals), np.int64)) == ()


def test_what_is_known_of_the_scene_is_kept() -> None:
    assert (REAL.kind, REAL.family, REAL.site, REAL.is_real) == ("intrusion", "intrusion", 1, True)


def test_the_programs_confidence_is_kept() -> None:
    for sample in samples()[:4]:
        program = ProgramReasoner(ManualClock()).reason(sample.incident)
        own = example_of(sample.incident, sample.truth)

        assert own.program_chance == pytest.approx(program.confidence)


@pytest.mark.parametrize("is_real", [True, False])
def test_of_a_recording_only_what_decides_is_known(is_real: bool) -> None:
    one = labelled(NEAR, is_real=is_real, site=-1, family="yard")

    for claim, is_true in zip(one.prompt.proposals.claims, one.true_C, strict=True):
        is_deciding = claim.predicate in {MEETS_RULE, *ALARMING.values()}
        assert is_true == (int(is_real) if is_deciding else UNKNOWN)


def test_shuffling_gives_each_track_another_slot_everywhere(mixed: Example) -> None:
    before, after = REAL.prompt, mixed.prompt
    renamed: dict[int, int] = {}
    for old, new in (
        (before.slots_S, after.slots_S),
        (before.targets_S, after.targets_S),
        (before.proposals.slots_C, after.proposals.slots_C),
    ):
        for one, other in zip(old.tolist(), new.tolist(), strict=True):
            assert renamed.setdefault(one, other) == other
    assert renamed[0] == 0
    assert len(set(renamed.values())) == len(renamed)
    assert all(0 < slot < SLOTS - 1 for old, slot in renamed.items() if old)


def test_shuffling_keeps_everything_else(mixed: Example) -> None:
    assert mixed.chain == REAL.chain
    assert (mixed.prompt.features_SF == REAL.prompt.features_SF).all()
    assert (mixed.prompt.ticks_S == REAL.prompt.ticks_S).all()
    assert (mixed.true_C == REAL.true_C).all()


def test_a_track_that_shares_the_last_slot_keeps_it() -> None:
    crowd = replace(REAL.prompt, slots_S=np.full_like(REAL.prompt.slots_S, SLOTS - 1))
    mixed = shuffled(replace(REAL, prompt=crowd), rng(), noise=0.0)

    assert (mixed.prompt.slots_S == SLOTS - 1).all()


def test_noise_bends_numbers_a_little_and_makes_none_of_nothing() -> None:
    before = REAL.prompt.features_SF.copy()
    noisy = shuffled(REAL, rng(), noise=0.02).prompt.features_SF

    assert (REAL.prompt.features_SF == before).all()
    assert not (noisy == before).all()
    assert noisy.dtype == np.float32
    assert (noisy[before == 0] == 0).all()
    assert np.allclose(noisy, before, rtol=0.12)


@pytest.mark.parametrize("lost", [0.15, 0.5, 1.0])
def test_what_is_lost_is_never_what_a_proposal_rests_on(lost: float) -> None:
    thin = shuffled(REAL, rng(1), noise=0.0, lost=lost).prompt
    whole = REAL.prompt
    kinds = whole.kinds_S[whole.proposals.tokens_C]

    assert (thin.kinds_S[thin.proposals.tokens_C] == kinds).all()
    assert thin.kinds_S[0] == whole.kinds_S[0]
    assert len(thin.kinds_S) == len(thin.features_SF) == len(thin.ticks_S) <= len(whole.kinds_S)
    assert (np.diff(thin.ticks_S) >= 0).all()
    assert thin.ticks_S.max() <= MAX_TICK


def test_all_is_lost_but_the_camera_and_what_proposals_rest_on() -> None:
    thin = shuffled(REAL, rng(), noise=0.0, lost=1.0).prompt

    assert len(thin.kinds_S) == len({0, *REAL.prompt.proposals.tokens_C.tolist()})
