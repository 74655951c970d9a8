"""What a story says about things that no box shows: fights, falls, flames, things left behind."""

from dataclasses import dataclass

from contracts.geometry import Box
from contracts.rules import RuleKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CueScript:
    """One thing that a cue will read in the pictures of a scene.

    Attributes:
        kind: Of the rule that listens.
        is_real: Whether it is what the cue takes it for.
        start_s, end_s: When it is to be seen.
        object_ids: Who takes part: fighters, whoever falls, the owner and then the thing.
        box: Where in the picture, of what is no object.
        level: Mean of what the cue measures, in the cue's own measure.
        grown: How many times as large it becomes.
        what: The story's word for it: ``hugging``, ``lamp``, ``light switch``.
    """

    kind: RuleKind
    is_real: bool
    start_s: float
    end_s: float
    object_ids: tuple[str, ...] = ()
    box: Box | None = None
    level: float = 0.0
    grown: float = 1.0
    what: str = ""
