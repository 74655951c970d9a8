"""Trust of a few trees that say something simple."""

import numpy as np

from moe_core.decoding import Floors
from moe_core.tokens.vocabulary import FAMILIES, PREDICATE_NAMES
from moe_core.trees import Trees
from moe_core.trust import STACKED, Trust
from moe_core.trust_rows import COLUMNS

EVEN = Floors(claim=0.5, hypothesis=0.5, context=0.5)


def stump(column: str, cut: float, *, below: float, above: float, base: float = 0.0) -> Trees:
    """One question about one column."""
    return Trees(
        base=base,
        features_TN=np.array([[COLUMNS.index(column)]], np.int32),
        cuts_TN=np.array([[cut]], np.float32),
        leaves_TL=np.array([[below, above]], np.float32),
    )


def trust_of(
    *,
    claims: float = 3.0,
    event: float = 3.0,
    floors: Floors = EVEN,
    stack: dict[str, float] | None = None,
) -> Trust:
    """Every claim and every event at the same log-odds, unless the stack weighs more."""
    return Trust(
        claims=stump("belief", 0.0, below=claims, above=claims),
        event=stump("belief", 0.0, below=event, above=event),
        by_predicate=np.zeros(len(PREDICATE_NAMES)),
        by_kind=np.zeros(len(FAMILIES)),
        stack={**dict.fromkeys(STACKED, 0.0), "trees": 1.0, "shift": 0.0, **(stack or {})},
        finding={"scale": 1.0, "shift": 0.0},
        floors=floors,
    )
