"""Names that tokens carry, as numbers. Stored with the weights, which know no other order."""

import zlib
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from contracts.incidents import FactName, IncidentState
from contracts.reasoning import ClaimRole, ClaimStatus
from contracts.rules import RuleKind
from contracts.tracks import POSTURES
from moe_core.claims import PREDICATES, ROLE_ORDER

WORDS: Final = 256
"""Rows of the table of words: labels, sides, units; a word's row is a hash of its letters."""
SLOTS: Final = 34
"""Rows of the table of tracks: 0 is none, the last is any that has no slot of its own."""


class Kind(IntEnum):
    """What a token is; also what the first mixture routes it by."""

    CAMERA = 0
    ZONE = 1
    LINE = 2
    TRACK = 3
    REGION = 4
    EVENT = 5
    THINK = 6
    """Ends what is read; what is written follows."""
    FACT = 7
    """The first of as many kinds as there are names of facts."""


FACT_KINDS: Final[Mapping[FactName, int]] = {
    name: Kind.FACT + index for index, name in enumerate(FactName)
}
ROLE_KINDS: Final[Mapping[ClaimRole, int]] = {
    role: Kind.FACT + len(FactName) + index for index, role in enumerate(ROLE_ORDER)
}
KINDS: Final = Kind.FACT + len(FactName) + len(ROLE_ORDER)

NAMES: Final = (
    "",
    *FactName,
    *(f"rule:{kind}" for kind in RuleKind),
    *(f"state:{state}" for state in IncidentState),
    *(f"posture:{posture}" for posture in POSTURES),
)
NAME_IDS: Final[Mapping[str, int]] = {str(name): index for index, name in enumerate(NAMES)}
PREDICATE_NAMES: Final = tuple(PREDICATES)
PREDICATE_IDS: Final[Mapping[str, int]] = {
    name: index for index, name in enumerate(PREDICATE_NAMES)
}
STATUS_IDS: Final[Mapping[ClaimStatus, int]] = {
    status: index for index, status in enumerate(ClaimStatus)
}
FAMILIES: Final = tuple(RuleKind)
FAMILY_IDS: Final[Mapping[RuleKind, int]] = {kind: index for index, kind in enumerate(FAMILIES)}


def word_id(word: str) -> int:
    """Return the row of a word; 0 is no word at all."""
    return 1 + zlib.crc32(word.encode()) % (WORDS - 1) if word else 0
