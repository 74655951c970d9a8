"""All stories, and how a scene is made of a seed and a site."""

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np

from contracts.rules import RuleKind
from moe_core.training.world.scene import Scene, play
from moe_core.training.world.script import Script
from moe_core.training.world.site import make_site
from moe_core.training.world.stories_of_bodies import fall, fight
from moe_core.training.world.stories_of_company import QUIET_KINDS, bystanders, crowd, extra_rule
from moe_core.training.world.stories_of_company import normal as normal_story
from moe_core.training.world.stories_of_pictures import fire, smoke, tamper
from moe_core.training.world.stories_of_things import abandoned, removed
from moe_core.training.world.stories_of_ways import (
    line_cross,
    running,
    speed,
    tailgate,
    wrong_way,
)
from moe_core.training.world.stories_of_zones import intrusion, loiter, zone_entry, zone_exit

NORMAL: Final = "normal"
REAL_SHARE: Final = 0.3
"""Look-alikes raise fewer incidents than events do, so that there must be more of them."""


_BEGINS_LATE: Final = 0.6
"""Share of the scenes of close cameras that begin shortly before what happens: as recordings do."""
_BEFORE_S: Final = (1.5, 6.0)


class Story(Protocol):
    """Writes one kind of event, or what only looks like it, into a script."""

    def __call__(self, script: Script, *, is_real: bool) -> None:
        """Write it."""
        ...


STORIES: Final[Mapping[str, Story]] = {
    RuleKind.INTRUSION: intrusion,
    RuleKind.LOITER: loiter,
    RuleKind.ZONE_ENTRY: zone_entry,
    RuleKind.ZONE_EXIT: zone_exit,
    RuleKind.LINE_CROSS: line_cross,
    RuleKind.TAILGATE: tailgate,
    RuleKind.CROWD: crowd,
    RuleKind.WRONG_WAY: wrong_way,
    RuleKind.RUNNING: running,
    RuleKind.SPEED: speed,
    RuleKind.FALL: fall,
    RuleKind.FIGHT: fight,
    RuleKind.ABANDONED: abandoned,
    RuleKind.REMOVED: removed,
    RuleKind.FIRE: fire,
    RuleKind.SMOKE: smoke,
    RuleKind.TAMPER: tamper,
    NORMAL: normal_story,
}
"""By the kind of rule that should tell of it."""
_TIMES: Final[Mapping[str, int]] = {
    RuleKind.TAILGATE: 4,
    RuleKind.CROWD: 6,
    RuleKind.RUNNING: 3,
    RuleKind.SPEED: 4,
    RuleKind.LOITER: 4,
    RuleKind.ZONE_EXIT: 1,
    RuleKind.FALL: 4,
    RuleKind.SMOKE: 3,
}
"""How often a story is told where it is not twice: of some, little comes to be seen."""
_REAL_SHARES: Final[Mapping[str, float]] = {
    RuleKind.LINE_CROSS: 0.55,
    RuleKind.ZONE_EXIT: 0.2,
    RuleKind.SPEED: 0.2,
    RuleKind.WRONG_WAY: 0.2,
    RuleKind.LOITER: 0.2,
    RuleKind.FALL: 0.35,
    RuleKind.FIGHT: 0.45,
    RuleKind.ABANDONED: 0.45,
    RuleKind.REMOVED: 0.45,
    RuleKind.FIRE: 0.5,
    RuleKind.SMOKE: 0.4,
    RuleKind.TAMPER: 0.5,
}
"""Where events and look-alikes raise incidents in another proportion than elsewhere."""


def make_scene(seed: int, *, site: int, family: str = "", is_real: bool | None = None) -> Scene:
    """Return the scene of a seed at a site, always the same.

    Args:
        seed: Of everything that happens there.
        site: Number of the camera.
        family: Of ``STORIES``; any if empty.
        is_real: Whether the event happens, or what only looks like it; either if None.
    """
    rng = np.random.default_rng([seed, site])
    names = [name for name in STORIES for _ in range(_TIMES.get(name, 2))]
    chosen = family or names[int(rng.integers(len(names)))]
    if is_real is None:
        is_real = bool(rng.random() < _REAL_SHARES.get(chosen, REAL_SHARE))
    if chosen == RuleKind.SPEED and make_site(site).calibration is None:
        chosen = RuleKind.RUNNING
    script = Script(rng=rng, site=make_site(site), seconds=float(rng.uniform(16, 32)))
    STORIES[chosen](script, is_real=is_real)
    bystanders(script)
    if script.chance(0.25):
        extra_rule(script, QUIET_KINDS[int(rng.integers(len(QUIET_KINDS)))])
    if script.site.is_close and script.cues and script.chance(_BEGINS_LATE):
        first_s = min(cue.start_s for cue in script.cues)
        script.begins_s = max(0.0, first_s - script.between(*_BEFORE_S))
    return play(script, seed=seed, family=chosen, is_look_alike=chosen == NORMAL or not is_real)
