"""Small cores for tests.

Many heads in the indexer: an entry whose score is exactly zero in all of them is a tie, which ours
breaks by age and the reference by chance.
"""

from dataclasses import replace

from moe_core.model.shape import Attention, CoreShape, Gate, Routing
from moe_core.tokens.vocabulary import FAMILIES, KINDS

SMALL = CoreShape(
    width=32, heads=2, head_width=16, rotary_width=8, window=8, sparse_rate=4, heavy_rate=8,
    index_heads=16, index_width=8, index_top=3, experts=4, active=2, expert_width=24,
    shared_width=16, types=5, gate=Gate.SQRT_SOFTPLUS, scaling=1.5,
    attention=(Attention.SLIDING, Attention.SPARSE, Attention.HEAVY),
    routing=(Routing.BY_TYPE, Routing.LEARNED, Routing.LEARNED),
)  # fmt: skip

TINY = replace(
    SMALL, width=16, head_width=8, rotary_width=4, window=16, index_width=8, expert_width=16,
    types=KINDS, families=len(FAMILIES),
)  # fmt: skip
"""Reads incidents."""
