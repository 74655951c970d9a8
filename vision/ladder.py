"""How much of a camera's frames is looked at when the machine cannot look at all of them. Pure.

What is guarded is the time from the lens to the alert: frames that wait are late alerts. So if all
frames of some seconds have waited for too long, less is looked at, one rung at a time, until they
do not wait any more; and more again, one rung at a time, once none has waited for long enough. What
is measured is the wait itself, not what might cause it. Where it is decoding that takes the time,
frames are late before they are queued: then ingest decodes less (``ingest/thinning.py``).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from contracts.cameras import CameraState

WAITS_S: Final = 0.5
"""A frame that waited for so long before it was taken up is a late one."""
LATE_FOR_S: Final = 1.5
"""Less is looked at once every frame of so many seconds was late."""
TOO_LATE_S: Final = 2.0
TOO_LATE_FOR_S: Final = 5.0
"""The same before the detector is left out: a late alert is better than none, so one frame a second
is looked at as long as that is of use at all."""
CALM_S: Final = 0.25
"""A frame that waited for no longer was in time."""
CALM_FOR_S: Final = 20.0
"""More is looked at once every frame of so many seconds was in time: at first, and at most."""
CALM_FOR_MAX_S: Final = 320.0
HELD_S: Final = 30.0
"""A rung that had to be left again sooner was tried in vain: the next try waits twice as long."""
TRIED_FOR_S: Final = 0.6
"""A rung that is being tried is left after so much lateness: an alert may be among its frames."""
_SLACK_S: Final = 1e-6


class Rung(IntEnum):
    """How much is looked at, the most first."""

    EVERYTHING = 0
    HALF = 1
    """Half as many frames as usual."""
    ONE_A_SECOND = 2
    """One frame a second."""
    MOTION = 3
    """The same without the detector: whether anything moves, and what the cues see."""
    RECORD = 4
    """Nothing: video is kept for clips, and one picture a second is shown."""

    @property
    def has_detector(self) -> bool:
        """Whether objects are looked for."""
        return self <= Rung.ONE_A_SECOND

    @property
    def state(self) -> CameraState:
        """What "no alert" means on it."""
        if self is Rung.EVERYTHING:
            return CameraState.SEEING
        return CameraState.DEGRADED if self.has_detector else CameraState.BLIND

    def every_s(self, usual_fps: float) -> float:
        """Return the seconds from one frame that is looked at to the next; 0 for all of them."""
        if self is Rung.EVERYTHING:
            return 0.0
        return max(1.0, 1 / usual_fps) if self > Rung.HALF else 2 / usual_fps


_WORDS: Final = {
    Rung.EVERYTHING: "",
    Rung.HALF: "half of its frames are looked at",
    Rung.ONE_A_SECOND: "one of its frames a second is looked at",
    Rung.MOTION: "nobody looks for people or things in its frames, only whether anything moves",
    Rung.RECORD: "its frames are not looked at, its video is kept",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From one rung to the next.

    Attributes:
        waited_s: Of the frame that decided it.
        lasted_s: For how long the rung before was held.
    """

    before: Rung
    after: Rung
    waited_s: float
    lasted_s: float

    @property
    def cause(self) -> str:
        """In words for the operator; empty if everything is looked at again."""
        if self.after is Rung.EVERYTHING:
            return ""
        found = f"frames waited {self.waited_s:.1f} s" if self.after > self.before else "better now"
        return f"this machine is too busy ({found}): {_WORDS[self.after]}"


class Ladder:
    """The rung of one camera.

    Args:
        now_s: Monotonic time of the beginning.
    """

    def __init__(self, now_s: float) -> None:
        self.rung = Rung.EVERYTHING
        self._since_s = now_s
        self._late_since_s: float | None = None
        self._calm_since_s: float | None = None
        self._calm_for_s = CALM_FOR_S
        self._rose_at_s = float("-inf")

    def note(self, now_s: float, waited_s: float) -> Step | None:
        """Take in a frame, looked at or not; return the step that it leads to.

        Args:
            now_s: Monotonic time, never decreasing.
            waited_s: From when it was queued until it was taken up.
        """
        is_last = self.rung >= Rung.ONE_A_SECOND
        is_late = waited_s > (TOO_LATE_S if is_last else WAITS_S)
        self._late_since_s = _since(self._late_since_s, now_s, is_so=is_late)
        self._calm_since_s = _since(self._calm_since_s, now_s, is_so=waited_s <= CALM_S)
        is_held = now_s - self._rose_at_s >= HELD_S
        if is_held and self.rung is Rung.EVERYTHING:
            self._calm_for_s = CALM_FOR_S
        patience_s = TOO_LATE_FOR_S if is_last else LATE_FOR_S if is_held else TRIED_FOR_S
        if _has_lasted(self._late_since_s, now_s, patience_s) and self.rung < Rung.RECORD:
            if not is_held:
                self._calm_for_s = min(CALM_FOR_MAX_S, 2 * self._calm_for_s)
                self._rose_at_s = float("-inf")
            return self._go(Rung(self.rung + 1), now_s, waited_s)
        if _has_lasted(self._calm_since_s, now_s, self._calm_for_s) and self.rung > 0:
            self._rose_at_s = now_s
            return self._go(Rung(self.rung - 1), now_s, waited_s)
        return None

    def _go(self, after: Rung, now_s: float, waited_s: float) -> Step:
        step = Step(
            before=self.rung, after=after, waited_s=waited_s, lasted_s=now_s - self._since_s
        )
        self.rung, self._since_s = after, now_s
        # What comes of a step is seen in frames that come after it.
        self._late_since_s = self._calm_since_s = None
        return step


def _since(since_s: float | None, now_s: float, *, is_so: bool) -> float | None:
    if not is_so:
        return None
    return now_s if since_s is None else since_s


def _has_lasted(since_s: float | None, now_s: float, seconds: float) -> bool:
    return since_s is not None and now_s - since_s >= seconds - _SLACK_S
