"""What a claim's trust is judged by: the core's belief, and what was measured of its evidence.

Everything is read off the prompt, which the core reads too: how long and how well the track was
seen, how large it is and how it moves, what checking gave, what the core thinks of the other claims
about the same track.

Shape legend: C = proposals, S = tokens, F = columns, N = numbers of a token, T = slots.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.reasoning import ClaimRole
from moe_core.claims import FACT_ROLES, MEETS_RULE, PREDICATES
from moe_core.decoding import CONTEXT
from moe_core.hypotheses import ALARMING
from moe_core.tokens.prompt import NUMBERS, Prompt
from moe_core.tokens.vocabulary import PREDICATE_NAMES, SLOTS, Kind, word_id

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_OF_CLAIM: Final = 6
_OF_CAMERA: Final = 8
_OF_GROUND: Final = 7
BELIEFS: Final = (
    "belief", "real", "program", "partner", "track_mean", "track_least", "track_present",
    "track_meets", "all_mean", "all_least", "most_meets",
)  # fmt: skip
"""Columns in log-odds."""
COLUMNS: Final = (
    *BELIEFS,
    "predicate", "kind", "is_ruled_out", "is_counter", "is_context", "is_contradicted",
    "evidence",
    *(f"claim_{number}" for number in range(_OF_CLAIM)),
    "has_track", "is_region", "is_named", "tracks", "events",
    "track_counters", "track_ruled_out", "cover", "own_cover", "tallest", "away_for", "since_first",
    *(f"camera_{number}" for number in range(_OF_CAMERA)),
    *(f"track_{number}" for number in range(NUMBERS)),
    *(f"event_{number}" for number in range(NUMBERS)),
    *(f"ground_{number}" for number in range(_OF_GROUND)),
)  # fmt: skip
"""Names of the columns, in order; stored with the trees that were grown over them."""
SURE: Final = 20.0
"""Log-odds beyond it count as it."""
_LEAST: Final = 1e-6
_SCALE: Final = 4.0
_DECIDING: Final = frozenset({MEETS_RULE, *ALARMING.values()})
_IS_DECIDING: Final = np.array([name in _DECIDING for name in PREDICATE_NAMES], np.bool_)
_IS_CONTEXT: Final = np.array([name in CONTEXT for name in PREDICATE_NAMES], np.bool_)
_ROLES: Final = {
    role: np.array([PREDICATES[name].role is role for name in PREDICATE_NAMES], np.bool_)
    for role in ClaimRole
}
_IS_OF_FACTS: Final = np.array(
    [PREDICATES[name].role in FACT_ROLES for name in PREDICATE_NAMES], np.bool_
)
_PRESENT: Final = PREDICATE_NAMES.index("present")
_MEETS: Final = PREDICATE_NAMES.index(MEETS_RULE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Believed:
    """What is known of an incident before trust is judged, in log-odds.

    Attributes:
        claims_C: What the core thinks of each proposal's truth.
        real: What it thinks of the event.
        program: What the program thinks of the event.
    """

    claims_C: Floats
    real: float
    program: float


def log_odds(chance: float) -> float:
    """Return the log-odds of a chance, kept finite."""
    kept = min(1 - _LEAST, max(_LEAST, chance))
    return float(np.log(kept / (1 - kept)))


def is_deciding(prompt: Prompt) -> npt.NDArray[np.bool_]:
    """Return which proposals stand or fall with the event, (C)."""
    return np.asarray(_IS_DECIDING[prompt.proposals.predicates_C])


def is_context(prompt: Prompt) -> npt.NDArray[np.bool_]:
    """Return which proposals tell the surroundings, (C)."""
    return np.asarray(_IS_CONTEXT[prompt.proposals.predicates_C])


def partners(prompt: Prompt) -> Ints:
    """Return for each proposal the one that is as true as it is; itself if there is none, (C)."""
    needs_C = prompt.proposals.needs_C
    own_C = np.arange(len(needs_C))
    found_C = np.where(needs_C >= 0, needs_C, own_C)
    has = np.flatnonzero(needs_C >= 0)
    found_C[needs_C[has]] = has
    return np.asarray(found_C, np.int64)


def rows_of(prompt: Prompt, believed: Believed, *, by_predicate: Floats, by_kind: Floats) -> Floats:
    """Return the columns of each proposal, (C, F).

    Args:
        prompt: What was read.
        believed: What is thought of it.
        by_predicate: What claims of each predicate are worth on the whole, in log-odds.
        by_kind: What alerts of each kind are worth, in log-odds.
    """
    claims = prompt.proposals
    count = len(claims)
    belief_C = np.clip(believed.claims_C, -SURE, SURE)
    slot_C, predicate_C = claims.slots_C, claims.predicates_C
    numbers_SN = prompt.features_SF[:, 1 : 2 * NUMBERS : 2].astype(np.float64)
    is_region_S = prompt.kinds_S == Kind.REGION
    is_track_S = is_region_S | (prompt.kinds_S == Kind.TRACK)
    is_event_S = prompt.kinds_S == Kind.EVENT
    track_T = _first_of(prompt.slots_S, is_track_S)
    event_T = _first_of(prompt.slots_S, is_event_S)
    track_C, event_C = track_T[slot_C], event_T[slot_C]
    track_C = np.where(slot_C > 0, track_C, -1)
    is_event_ground_C = is_event_S[claims.tokens_C]
    first_event = int(np.flatnonzero(is_event_S)[0]) if is_event_S.any() else -1
    event_C = np.where(is_event_ground_C, claims.tokens_C, event_C)
    event_C = np.where(event_C < 0, first_event, event_C)
    is_fact_ground_C = prompt.kinds_S[claims.tokens_C] >= Kind.FACT
    size_SN = np.expm1(_SCALE * np.abs(numbers_SN)) / 20
    cover_S = np.where(is_track_S, size_SN[:, 5] * size_SN[:, 6] / 25, 0.0)
    last_T = np.zeros(SLOTS)
    np.maximum.at(last_T, prompt.slots_S, prompt.ticks_S)
    is_standing_C = _ROLES[ClaimRole.COUNTER][predicate_C]
    is_ruled_C = _ROLES[ClaimRole.RULED_OUT][predicate_C]
    found = np.zeros((count, len(COLUMNS)))
    columns = {name: place for place, name in enumerate(COLUMNS)}
    told: dict[str, npt.ArrayLike] = {
        **_beliefs(prompt, belief_C, believed),
        "predicate": by_predicate[predicate_C],
        "kind": by_kind[prompt.family],
        "is_ruled_out": is_ruled_C,
        "is_counter": is_standing_C,
        "is_context": _IS_CONTEXT[predicate_C],
        "is_contradicted": claims.statuses_C != 0,
        "evidence": [len(claim.evidence) for claim in claims.claims],
        "has_track": track_C >= 0,
        "is_region": (track_C >= 0) & is_region_S[track_C],
        "is_named": prompt.words_S[0] == word_id("named"),
        "tracks": is_track_S.sum(),
        "events": is_event_S.sum(),
        "track_counters": np.bincount(slot_C, is_standing_C, SLOTS)[slot_C],
        "track_ruled_out": np.bincount(slot_C, is_ruled_C, SLOTS)[slot_C],
        "cover": cover_S.sum(),
        "own_cover": np.where(track_C >= 0, cover_S[track_C], 0.0),
        "tallest": (size_SN[:, 6] * is_track_S).max() / 5,
        "away_for": prompt.ticks_S.max() - last_T[slot_C],
        "since_first": prompt.ticks_S[first_event] if first_event >= 0 else 0,
    }
    for name, values in told.items():
        found[:, columns[name]] = values
    for name, width, values_CN in (
        ("claim", _OF_CLAIM, claims.features_CF[:, 1 : 2 * _OF_CLAIM : 2]),
        ("camera", _OF_CAMERA, numbers_SN[:1, :_OF_CAMERA]),
        ("track", NUMBERS, np.where((track_C >= 0)[:, None], numbers_SN[track_C], 0.0)),
        ("event", NUMBERS, np.where((event_C >= 0)[:, None], numbers_SN[event_C], 0.0)),
        ("ground", _OF_GROUND,
         np.where(is_fact_ground_C[:, None], numbers_SN[claims.tokens_C, :_OF_GROUND], 0.0)),
    ):  # fmt: skip
        first = columns[f"{name}_0"]
        found[:, first : first + width] = values_CN
    return found


def _beliefs(prompt: Prompt, belief_C: Floats, believed: Believed) -> dict[str, npt.ArrayLike]:
    """Return the columns of ``BELIEFS``."""
    claims = prompt.proposals
    slot_C, predicate_C = claims.slots_C, claims.predicates_C
    is_fact_C = _IS_OF_FACTS[predicate_C]
    size_T = np.bincount(slot_C, is_fact_C, SLOTS)
    mean_T = np.bincount(slot_C, belief_C * is_fact_C, SLOTS) / np.maximum(1, size_T)
    least_T = np.full(SLOTS, SURE)
    np.minimum.at(least_T, slot_C[is_fact_C], belief_C[is_fact_C])
    meets_C = belief_C[predicate_C == _MEETS]
    return {
        "belief": belief_C,
        "real": np.clip(believed.real, -SURE, SURE),
        "program": believed.program,
        "partner": belief_C[partners(prompt)],
        "track_mean": mean_T[slot_C],
        "track_least": least_T[slot_C],
        "track_present": _of_slot(slot_C, belief_C, predicate_C == _PRESENT)[slot_C],
        "track_meets": _of_slot(slot_C, belief_C, predicate_C == _MEETS)[slot_C],
        "all_mean": belief_C.mean() if len(belief_C) else 0.0,
        "all_least": belief_C.min() if len(belief_C) else 0.0,
        "most_meets": meets_C.max() if len(meets_C) else 0.0,
    }


def _first_of(slots_S: Ints, is_one_S: npt.NDArray[np.bool_]) -> Ints:
    """Return for each slot its first token of some kind; -1 if it has none, (T)."""
    found_T = np.full(SLOTS, -1, np.int64)
    places = np.flatnonzero(is_one_S)[::-1]
    found_T[slots_S[places]] = places
    return found_T


def _of_slot(slot_C: Ints, belief_C: Floats, is_one_C: npt.NDArray[np.bool_]) -> Floats:
    """Return for each slot what is believed of one of its claims; 0 if it has none, (T)."""
    found_T = np.zeros(SLOTS)
    found_T[slot_C[is_one_C]] = belief_C[is_one_C]
    return found_T
