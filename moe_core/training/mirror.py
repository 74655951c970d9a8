"""Examples as a mirror shows them: left and right changed over, all that is true of them the same.

No camera looks more to one side than to the other, so a core must not learn that one does; and of
each scene there are two.

Shape legend: S = tokens, F = features.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.incidents import FactName
from moe_core.tokens.prompt import Floats, features_of
from moe_core.tokens.vocabulary import FACT_KINDS, Kind, word_id
from moe_core.training.examples import Example

_ZONE_MIDDLE, _ZONE_LEFT, _ZONE_RIGHT = 1, 3, 5
"""Places of abscissas among a zone's numbers, as ``tokens.prompt`` lays them out."""
_LINE_FIRST, _LINE_LAST = (0, 1), (2, 3)
_TRACK_XS: Final = (14, 16)
"""Where a track's foot was mostly, and at first (``tokens.ways``)."""
_TRACK_POINTS: Final = 21
"""How many points it has; without any it was nowhere."""
_SIDES: Final = {word_id("left"): word_id("right"), word_id("right"): word_id("left")}
_BELOW_ONE: Final = 1 - 1e-7
_CAME_IN: Final = FACT_KINDS[FactName.ENTERED_FROM]


def mirrored(example: Example) -> Example:
    """Return the example with left and right changed over. Twice gives what it was.

    Lines are walked the other way round, so that who crosses one to its left still does.
    """
    prompt = example.prompt
    features_SF = prompt.features_SF.copy()
    words_S = prompt.words_S.copy()
    for index, kind in enumerate(prompt.kinds_S):
        if kind == _CAME_IN:
            words_S[index] = _SIDES.get(int(words_S[index]), words_S[index])
        elif kind in (Kind.ZONE, Kind.LINE, Kind.TRACK, Kind.REGION):
            features_SF[index] = _turned(features_SF[index], Kind(kind))
    return replace(example, prompt=replace(prompt, features_SF=features_SF, words_S=words_S))


def _turned(features_F: Floats, kind: Kind) -> Floats:
    match kind:
        case Kind.ZONE:
            order = {_ZONE_MIDDLE: _ZONE_MIDDLE, _ZONE_LEFT: _ZONE_RIGHT, _ZONE_RIGHT: _ZONE_LEFT}
            return _changed(features_F, order, xs=tuple(order))
        case Kind.LINE:
            order = dict(zip((*_LINE_FIRST, *_LINE_LAST), (*_LINE_LAST, *_LINE_FIRST), strict=True))
            return _changed(features_F, order, xs=(_LINE_FIRST[0], _LINE_LAST[0]))
        case _:
            if not features_F[2 * _TRACK_POINTS]:
                return features_F
            return _changed(features_F, {x: x for x in _TRACK_XS}, xs=_TRACK_XS)


def _changed(features_F: Floats, order: dict[int, int], *, xs: Sequence[int]) -> Floats:
    """Return features with numbers taken from other places, those of ``xs`` then turned."""
    fresh_F = features_F.copy()
    for place, source in order.items():
        number = float(np.arctanh(min(float(features_F[2 * source]), _BELOW_ONE)))
        fresh_F[2 * place : 2 * place + 2] = _two(1 - number if place in xs else number)
    return fresh_F


def _two(number: float) -> npt.NDArray[np.float32]:
    return features_of([number])[:2]
