"""Smoke watched for without a detector: the motion gate, the cue and its rule."""

import time
from dataclasses import dataclass, field

from contracts.frames import Frame
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import Track
from vision.cues.port import Cues, Glimpse
from vision.cues.seen import SmokeSeen
from vision.cues.smoke import SmokeCue
from vision.motion_gate import MotionGate
from vision.observation import Observation
from vision.rules.smoke import SmokeRule


def _rule() -> SmokeRule:
    return SmokeRule(RuleSettings(rule_id="smoke", kind=RuleKind.SMOKE), zone=None)


@dataclass
class SmokeWatch:
    """One camera's: what was seen in each frame and told, and the CPU time the cue took of each."""

    seen: list[SmokeSeen] = field(default_factory=list)
    events: list[RuleEvent] = field(default_factory=list)
    cost_ms: list[float] = field(default_factory=list)
    _gate: MotionGate = field(default_factory=MotionGate)
    _cue: SmokeCue = field(default_factory=SmokeCue)
    rule: SmokeRule = field(default_factory=_rule)

    def look(self, frame: Frame, *, tracks: tuple[Track, ...] = ()) -> None:
        """Look at the next frame, as it is decoded small."""
        motion = self._gate.look(frame)
        glimpse = Glimpse(small=frame, picture=None, motion=motion, detections=None, tracks=tracks)
        began_s = time.thread_time()
        found = self._cue.look(glimpse)
        self.cost_ms.append(1000 * (time.thread_time() - began_s))
        self.seen.append(found)
        seen = Observation(header=frame.header, tracks=tracks, cues=Cues(smoke=found))
        self.events += self.rule.update(seen)
