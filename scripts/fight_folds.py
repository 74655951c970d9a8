"""Judges the fight score on sources that it has never seen: fitted to some folds, asked of another.

A draw cuts the sources into folds by lot; each clip of the set is judged by the score that was
fitted to the other folds.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from vision.cues.scuffle_score import ScuffleScore
from vision.rules.fight import HOLD_S, THRESHOLD
from vision.training import fights
from vision.training.fights import FightClip

SET: Final = "fight/clips/"
THRESHOLDS: Final = (0.4, 0.45, 0.5, 0.55, 0.6)
HOLDS: Final = (1, 2, 3, 4)
"""What the nested folds choose among; holds in steps, the first included (``hold_s``)."""
STEPS_HELD: Final = round(HOLD_S * fights.FPS) + 1
"""As the rule has it."""

Judged = tuple[list[float], bool]
"""Of a clip: the likelihoods by a score that never saw its source, and whether it is a fight."""
Series = Mapping[str, Judged]
"""By clip."""


def hold_s(steps: int) -> float:
    """Return the seconds from the first to the last of so many steps."""
    return (steps - 1) / fights.FPS


def held(likelihoods: Sequence[float], *, steps: int = STEPS_HELD) -> float:
    """Return the highest likelihood that held for so many steps; those of the rule by default."""
    spans = (likelihoods[first : first + steps] for first in range(len(likelihoods) - steps + 1))
    return max((min(span) for span in spans), default=0.0)


def series(clips: Sequence[FightClip], *, seed: int) -> Series:
    """Return the likelihoods of all clips of the set, out of fold, people taken to be everywhere.

    Clips in which nothing stirs have none.
    """
    found: dict[str, Judged] = {clip.video: ([], clip.is_fight) for clip in of_set(clips)}
    for held_out in fights.folds(fights.usable(clips), seed=seed):
        found |= _judged(clips, held_out)
    return found


def right_share(found: Series, *, threshold: float = THRESHOLD, steps: int = STEPS_HELD) -> float:
    """Return the share of clips that are told right; as the rule does by default."""
    return statistics.mean(_rights(found.values(), threshold=threshold, steps=steps))


def nested(clips: Sequence[FightClip], *, seed: int) -> float:
    """Return the accuracy where threshold and hold are chosen without the judged fold."""
    rights: list[bool] = []
    for held_out in fights.folds(fights.usable(clips), seed=seed):
        others = series([clip for clip in clips if clip.group not in held_out], seed=seed + 100)
        _, threshold, steps = max(
            (right_share(others, threshold=threshold, steps=steps), threshold, steps)
            for threshold in THRESHOLDS
            for steps in HOLDS
        )
        found = _judged(clips, held_out)
        rights += _rights(found.values(), threshold=threshold, steps=steps)
    return statistics.mean(rights)


def of_set(clips: Iterable[FightClip]) -> list[FightClip]:
    """Return the clips that are judged; the others are only fitted to."""
    return [clip for clip in clips if clip.video.startswith(SET)]


def _judged(clips: Sequence[FightClip], held_out: frozenset[str]) -> dict[str, Judged]:
    """Judge the set's clips of some sources by a score that is fitted to all others."""
    score = fights.fit_all([clip for clip in clips if clip.group not in held_out])
    return {
        clip.video: (_likelihoods(score, clip), clip.is_fight)
        for clip in of_set(clips)
        if clip.group in held_out
    }


def _likelihoods(score: ScuffleScore, clip: FightClip) -> list[float]:
    """Return the highest likelihood of each moment."""
    return [max(score.of_weighed(window.weighed_V).value for window in one) for one in clip.moments]


def _rights(judged: Iterable[Judged], *, threshold: float, steps: int) -> list[bool]:
    return [(held(values, steps=steps) >= threshold) is is_fight for values, is_fight in judged]
