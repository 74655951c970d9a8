"""Every name has its own row; words have one of a few."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.incidents import FactName
from contracts.reasoning import ClaimRole
from moe_core.claims import PREDICATES
from moe_core.model.network import SHIPPED_SHAPE
from moe_core.tokens.vocabulary import (
    FACT_KINDS,
    KINDS,
    NAME_IDS,
    NAMES,
    PREDICATE_IDS,
    ROLE_KINDS,
    WORDS,
    Kind,
    word_id,
)


def test_kinds_do_not_overlap() -> None:
    kinds = [*(kind for kind in Kind if kind is not Kind.FACT), *FACT_KINDS.values()]
    kinds += ROLE_KINDS.values()

    assert sorted(kinds) == list(range(KINDS))
    assert set(FACT_KINDS) == set(FactName)
    assert set(ROLE_KINDS) == set(ClaimRole)


def test_no_name_stands_twice() -> None:
    assert len(NAME_IDS) == len(NAMES)
    assert len(PREDICATE_IDS) == len(PREDICATES)


def test_the_network_that_ships_routes_every_kind() -> None:
    assert SHIPPED_SHAPE.types == KINDS


def test_no_word_is_row_zero() -> None:
    assert word_id("") == 0


@given(word=st.text(min_size=1))
def test_a_word_has_a_row_of_the_table(word: str) -> None:
    assert 0 < word_id(word) < WORDS
    assert word_id(word) == word_id(word)
