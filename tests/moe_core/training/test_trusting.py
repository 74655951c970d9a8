"""What is fitted of trust: cameras apart, recordings as much as simulated scenes, floors."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from contracts.errors import ConfigError
from moe_core.training import trusting
from moe_core.training.boosting import Growth
from moe_core.training.examples import UNKNOWN, Example
from moe_core.training.trusting import (
    FOLDS,
    Gathered,
    claim_floor,
    f1_of,
    fit_trust,
    floors_of,
    gathered,
    tables_of,
    told,
    untrue_share,
)
from moe_core.trust import STACKED
from moe_core.trust_rows import Believed, is_deciding
from tests.moe_core.cores import network_of
from tests.moe_core.training.samples import examples

NETWORK = network_of(1)


def at_sites(found: Sequence[Example]) -> list[Example]:
    """Each at a camera of its own that is for fitting."""
    return [replace(one, site=10 * number + 7) for number, one in enumerate(found)]


def as_recordings(found: Sequence[Example]) -> list[Example]:
    return [
        replace(
            one,
            is_known=False,
            true_C=np.where(
                gathered(NETWORK, [one], tables_of([one])).is_deciding_R, one.true_C, UNKNOWN
            ),
        )
        for one in found
    ]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLAIM_GROWTH", "EVENT_GROWTH"):
        monkeypatch.setattr(trusting, name, Growth(trees=8, depth=2, least_rows=2))


def test_trust_is_fitted_and_judges() -> None:
    found = at_sites(examples())
    trust = fit_trust(NETWORK, found, as_recordings(examples()[:4]))

    assert set(trust.stack) == {*STACKED, "shift"}
    assert all(trust.stack[name] >= 0 for name in ("trees", "real", "program"))
    assert 0 < trust.floors.claim < 1
    assert trust.finding["scale"] > 0
    for one in found:
        odds_C = np.linspace(-1.0, 1.0, len(one.prompt.proposals))
        judged = trust.judge(one.prompt, Believed(claims_C=odds_C, real=1.0, program=1.0))
        assert judged.chances_C.shape == odds_C.shape
        assert ((judged.chances_C > 0) & (judged.chances_C < 1)).all()
        assert (judged.chance is not None) == bool(is_deciding(one.prompt).any())


def test_too_few_cameras_are_said_so() -> None:
    with pytest.raises(ConfigError, match="too few cameras"):
        fit_trust(NETWORK, at_sites(examples())[: FOLDS - 1])


def test_no_camera_is_in_two_folds() -> None:
    found = at_sites(examples())
    part = gathered(NETWORK, [*found, *found], tables_of(found))

    assert (part.fold_E[: len(found)] == part.fold_E[len(found) :]).all()
    assert len(set(part.fold_E)) == FOLDS


def test_a_pair_of_rows_is_as_true() -> None:
    part = gathered(NETWORK, examples(), tables_of(examples()))

    assert (part.true_R == part.true_R[part.pair_R]).all()
    assert (part.example_R == part.example_R[part.pair_R]).all()
    assert (part.pair_R != np.arange(len(part.pair_R))).sum() == part.is_deciding_R.sum()


def test_some_examples_are_taken_whole() -> None:
    whole = gathered(NETWORK, at_sites(examples()), tables_of(examples()))
    keep = np.arange(len(whole.real_E)) % 3 == 1
    part, rows = whole.only(keep)
    own = [one for one, is_kept in zip(examples(), keep, strict=True) if is_kept]
    again = gathered(NETWORK, own, tables_of(examples()))

    assert (part.pair_R == again.pair_R).all()
    assert (part.example_R == again.example_R).all()
    assert (part.true_R == again.true_R).all()
    assert part.rows_RF == pytest.approx(again.rows_RF, abs=1e-3)
    assert rows.sum() == len(part.true_R)


def test_close_cameras_set_no_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    found = at_sites(examples())
    close = [replace(one, site=one.site + 10_000, true_C=0 * one.true_C) for one in found]
    seen: list[int] = []
    monkeypatch.setattr(
        trusting, "floors_of", lambda *parts: seen.extend(len(part.real_E) for part, _ in parts)
    )
    fit_trust(NETWORK, [*found, *close])

    assert seen == [len(found), 0]


def test_what_is_rarely_true_is_worth_less() -> None:
    tables = tables_of(examples())
    seen = {int(row) for one in examples() for row in one.prompt.proposals.predicates_C}

    assert tables.by_predicate[[row for row in range(len(tables.by_predicate))
                                if row not in seen]] == pytest.approx(0.0)  # fmt: skip
    assert np.isfinite(tables.by_predicate).all()
    false = tables_of([replace(one, is_real=False) for one in examples()])
    assert (false.by_kind <= tables.by_kind).all()
    assert false.by_kind.min() < 0


def part_of(chances: Sequence[tuple[float, int, str]]) -> tuple[Gathered, np.ndarray]:
    """Rows of (chance, truth, what it is), each an example of its own."""
    count = len(chances)
    what = np.array([one[2] for one in chances])
    true = np.array([one[1] for one in chances])
    part = Gathered(
        rows_RF=np.zeros((count, 1), np.float32),
        true_R=true,
        example_R=np.arange(count),
        pair_R=np.arange(count),
        is_supported_R=np.ones(count, np.bool_),
        is_deciding_R=what == "event",
        is_context_R=what == "context",
        is_main_R=what == "event",
        is_alarming_R=what == "event",
        fold_E=np.zeros(count, np.int64),
        real_E=(true == 1) & (what == "event"),
        is_known_E=np.ones(count, np.bool_),
        is_close_E=np.zeros(count, np.bool_),
    )
    chance = np.array([one[0] for one in chances])
    return part, np.log(chance / (1 - chance))


def test_a_tenth_of_what_is_true_is_left_out() -> None:
    rows = [(0.5 + number / 2000, 1, "claim") for number in range(999)]
    rows += [(0.4, 0, "claim")] * 10 + [(0.9, 1, "event")] * 100 + [(0.99, 1, "context")] * 50
    part, odds = part_of(rows)
    floors = floors_of((part, odds))
    is_told = told(part, 1 / (1 + np.exp(-odds)), floors)
    is_true = (part.true_R == 1) & ~part.is_context_R

    assert 0.09 < 1 - is_told[is_true].mean() <= 0.10
    assert untrue_share(part, is_told) == 0.0


def test_what_events_leave_out_claims_may_not() -> None:
    part, odds = part_of([(0.6, 1, "claim")] * 100 + [(0.35, 1, "event")] * 10)
    chance = 1 / (1 + np.exp(-odds))

    assert claim_floor(part, chance, 0.3) == pytest.approx(0.6)
    assert claim_floor(part, chance, 0.5) == pytest.approx(0.01)


def test_verdicts_choose_the_floor_of_the_event_where_little_is_untrue() -> None:
    events = [(0.55, 1, "event")] * 50 + [(0.46, 0, "event")] * 50 + [(0.9, 1, "event")] * 200
    part, odds = part_of(events + [(0.99, 1, "claim")] * 5000)
    floors = floors_of((part, odds))

    assert 0.46 < floors.hypothesis <= 0.55
    assert f1_of(part, 1 / (1 + np.exp(-odds)), floors.hypothesis) == 1.0


def test_where_too_much_is_untrue_least_is_chosen() -> None:
    part, odds = part_of([(0.6, 0, "event")] * 50 + [(0.75, 1, "event")] * 100)
    floors = floors_of((part, odds))

    assert floors.hypothesis > 0.6
