"""Whether the camera still sees what it should, and what keeps it from it.

The whole view is followed as a region while something is wrong with it: a track that begins with
the first suspicion, is confirmed once it can be told what is wrong, and ends when the camera sees
again. Its label names the cause, its confidence is the share of the scene that is gone.

Suddenness is what is looked for: dusk, fog and dirt come slowly and are learned. Whatever moves
(a lorry, a crowd) hides the scene for a moment and is waited for.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from contracts.cameras import CameraState
from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.tracks import Track, TrackPoint, TrackState
from vision.cues.port import Glimpse
from vision.cues.regions import region_id
from vision.cues.scene_memory import FloatArray, Likeness, Luma, SceneMemory
from vision.cues.stillness import Stillness
from vision.cues.tampering import Picture, Tampering, ViewReading
from vision.estimates import share_sigma
from vision.motion_gate import gate_picture

GONE: Final = 0.6
"""Share of known places that must be gone at once: people, insects and vehicles leave more."""
LEFT: Final = 0.5
"""Share that may be gone of a view that is well again."""
ELSEWHERE: Final = 0.35
"""Share that must be gone before the scene is looked for elsewhere in the picture."""
PARTLY: Final = (0.2, 0.9)
"""Share that is gone of a view that is just being hidden, from and to."""
RECOVER_S: Final = 0.6
"""A view is well again after being well for so long."""
SURE_S: Final = 1.4
"""What is wrong is believed when it has lasted for so long: a flash, an exposure that adapts and a
lens that seeks its focus are over by then. Counted from the last frame that was well."""
FIRST_SIGHT_S: Final = 5.0
"""The same for a camera that has shown nothing since its start: it may still be starting."""
SHARPEN_S: Final = 0.6
"""Another cause replaces the one that was told when it has been seen for so long."""
TREMBLE: Final = 0.1
"""Share of pixels that may show something else than in the frame before while a view is at rest."""
MOST: Final = 0.25
USUALLY_S: Final = 10.0
"""... or twice as much as usual: time constant of that, and the most that a frame counts for."""
REST_S: Final = 0.6
"""A view that was taken away is judged when it has been at rest for so long."""
SAME: Final = 0.35
"""Correlation of detail with that of ``REST_S`` before from which a new view stands still."""
UNSETTLED_S: Final = 10.0
"""What has not come to rest for so long is no view that can be missed: it is learned anew."""
ADOPT_S: Final = 60.0
"""A new view that stood still for so long is the camera's view from now on."""
POINTS: Final = 300
"""Points that the region keeps: a minute."""
WHOLE: Final[Box] = (0.0, 0.0, 1.0, 1.0)
_SLACK_S: Final = 1e-6
_SIGMA_FLOOR: Final = 0.02


@dataclass(slots=True, kw_only=True)
class _Suspicion:
    """Something is wrong with the view, from its first frame to the recovery.

    Attributes:
        since_s: Stream time of the last frame that was well.
        sure_s: How long it must last.
        cause: As believed; before it is confirmed, as seen last.
        other_s: Since when another cause has been seen, if one is.
        well_s: Since when nothing is wrong any more, if so.
        votes: Frames by cause.
    """

    region_id: str
    first: FrameHeader
    since_s: float
    sure_s: float
    cause: Tampering
    is_confirmed: bool = False
    other_s: float | None = None
    well_s: float | None = None
    hits: int = 0
    misses: int = 0
    votes: dict[Tampering, int] = field(default_factory=dict)
    points: deque[TrackPoint] = field(default_factory=lambda: deque(maxlen=POINTS))

    def weigh(self, cause: Tampering, now_s: float) -> None:
        """Take up another cause: at once while it is only suspected, then only if it stays."""
        self.well_s = None
        self.hits += 1
        self.votes[cause] = self.votes.get(cause, 0) + 1
        if cause is self.cause:
            self.other_s = None
            return
        self.other_s = now_s if self.other_s is None else self.other_s
        if not self.is_confirmed or now_s - self.other_s >= SHARPEN_S - _SLACK_S:
            self.cause, self.other_s = cause, None

    def is_over(self, now_s: float) -> bool:
        """Note a frame that is well; say whether it has been well for long enough."""
        self.misses += 1
        self.well_s = now_s if self.well_s is None else self.well_s
        return now_s - self.well_s >= RECOVER_S - _SLACK_S

    def see(self, header: FrameHeader, *, gone: float, is_observed: bool) -> None:
        """Add the frame to the region."""
        self.points.append(
            TrackPoint(
                seq=header.seq,
                monotonic_s=header.monotonic_s,
                captured_at=header.captured_at,
                box=WHOLE,
                confidence=gone if is_observed else 0.0,
                is_observed=is_observed,
            )
        )

    def region(self, state: TrackState) -> Track:
        """Return the view as a track."""
        return Track(
            track_id=self.region_id,
            camera_id=self.first.camera_id,
            run_id=self.first.run_id,
            label=self.cause.label,
            label_confidence=self.votes.get(self.cause, 0) / max(1, self.hits),
            state=state,
            points=tuple(self.points),
            hits=self.hits,
            misses=self.misses,
            first_seen_at=self.first.captured_at,
            first_seen_s=self.first.monotonic_s,
            is_region=True,
        )


class ViewCue:
    """Follows the view of one camera's run; see ``Cue``."""

    def __init__(self) -> None:
        self._memory: SceneMemory | None = None
        self._stillness: Stillness | None = None
        self._shape: tuple[int, ...] = ()
        self._now_s = 0.0
        self._restless_s = 0.0
        self._usually_moved = 0.0
        self._partly_since_s: float | None = None
        self._details: deque[tuple[float, FloatArray]] = deque()
        self._suspicion: _Suspicion | None = None
        self._scatter = 0.0
        self._is_elsewhere = False

    def look(self, glimpse: Glimpse) -> ViewReading:
        """Judge the next frame. A picture of another size begins a new view."""
        header, pixels_HW3 = glimpse.header, glimpse.small.pixels_HW3
        luma_HW = gate_picture(pixels_HW3)
        memory, stillness = self._memory, self._stillness
        if memory is None or stillness is None or self._shape != luma_HW.shape:
            self._begin(luma_HW, header)
            return self._ended(header)
        before_s, self._now_s = self._now_s, header.monotonic_s
        likeness = memory.compare(luma_HW)
        repeated_s = stillness.look(luma_HW, self._now_s)
        if stillness.moved > max(TREMBLE, 2 * self._usually_moved):
            self._restless_s = self._now_s
        self._remember_detail(memory.detail_HW)
        picture = Picture(
            pixels_HW3=pixels_HW3,
            luma_HW=luma_HW,
            likeness=likeness,
            detail_HW=memory.detail_HW,
            earlier_HW=self._details[0][1],
            moved=stillness.moved,
            changed=stillness.changed,
        )
        cause = self._wrong(picture, memory)
        if cause is None and repeated_s is not None:
            cause, before_s = Tampering.FROZEN, repeated_s
        if cause is None and self._memory is memory:
            self._learn(memory, likeness, self._now_s - before_s)
        return self._follow(cause, picture, header, since_s=before_s)

    def _begin(self, luma_HW: Luma, header: FrameHeader) -> None:
        self._memory, self._shape = SceneMemory(luma_HW), luma_HW.shape
        self._stillness = Stillness(luma_HW, header.monotonic_s)
        self._now_s = self._restless_s = header.monotonic_s
        self._details.clear()
        self._partly_since_s = None

    def _remember_detail(self, detail_HW: FloatArray) -> None:
        self._details.append((self._now_s, detail_HW))
        while len(self._details) > 2 and self._now_s - self._details[1][0] >= REST_S - _SLACK_S:
            self._details.popleft()

    def _wrong(self, picture: Picture, memory: SceneMemory) -> Tampering | None:
        """Return what is wrong with the picture, as far as one picture tells."""
        gone = picture.likeness.gone
        if gone < PARTLY[0]:
            self._scatter = 0.0
        elif gone <= PARTLY[1] and not self._is_told:
            self._scatter = max(self._scatter, picture.likeness.scatter)
        self._is_elsewhere = False
        is_known = memory.is_settled
        is_gone = is_known and gone >= (GONE if self._suspicion is None else LEFT)
        is_empty = is_known and picture.is_empty and not picture.is_dark
        cause = picture.nothing_in_it(is_gone=is_gone or is_empty, scatter=self._scatter)
        if cause is not None:
            return cause
        if is_empty or (is_gone and not picture.is_still_there):
            return picture.what_hides_it(scatter=self._scatter)
        if is_known and picture.is_unsharp:
            return Tampering.DEFOCUSED
        if is_known and gone >= ELSEWHERE:
            self._is_elsewhere = memory.has_shifted(picture.detail_HW)
            return Tampering.MOVED if self._is_elsewhere else None
        if gone >= GONE and not is_known:
            # What was not known for long enough to be missed is replaced by what is seen now.
            self._memory = SceneMemory(picture.luma_HW)
        return None

    @property
    def _is_told(self) -> bool:
        """Whether something is surely wrong, so that no more of the scene is just going."""
        return self._suspicion is not None and self._suspicion.is_confirmed

    def _learn(self, memory: SceneMemory, likeness: Likeness, step_s: float) -> None:
        """Learn a picture that is well; one that is half hidden only if it stays so."""
        if likeness.gone < LEFT:
            self._partly_since_s = None
        elif self._partly_since_s is None:
            self._partly_since_s = self._now_s
        if self._partly_since_s is None or self._now_s - self._partly_since_s >= UNSETTLED_S:
            step_s = min(max(step_s, 0.0), SURE_S)
            memory.learn(step_s)
            moved = 0.0 if self._stillness is None else self._stillness.moved
            self._usually_moved += step_s / USUALLY_S * (min(moved, MOST) - self._usually_moved)

    def _follow(
        self, cause: Tampering | None, picture: Picture, header: FrameHeader, *, since_s: float
    ) -> ViewReading:
        suspicion = self._suspicion
        if suspicion is None:
            if cause is None:
                return ViewReading()
            suspicion = self._suspicion = self._suspect(cause, header, since_s=since_s)
        if cause is not None:
            suspicion.weigh(cause, self._now_s)
        elif suspicion.is_over(self._now_s):
            return self._ended(header)
        lasted_s = self._now_s - suspicion.since_s
        if cause is not None and self._is_clear(suspicion.cause, picture):
            suspicion.is_confirmed |= lasted_s >= suspicion.sure_s - _SLACK_S
        if _is_adopted(suspicion, lasted_s=lasted_s):
            self._begin(picture.luma_HW, header)
            return self._ended(header)
        gone = 1.0 if self._is_elsewhere else _gone(suspicion.cause, picture)
        suspicion.see(header, gone=gone, is_observed=cause is not None)
        is_confirmed = suspicion.is_confirmed
        return ViewReading(
            state=suspicion.cause.state if is_confirmed else CameraState.SEEING,
            cause=suspicion.cause,
            gone=gone,
            sigma=share_sigma(gone, picture.likeness.known, floor=_SIGMA_FLOOR),
            since_s=suspicion.since_s,
            region=suspicion.region(TrackState.CONFIRMED if is_confirmed else TrackState.TENTATIVE),
        )

    def _suspect(self, cause: Tampering, header: FrameHeader, *, since_s: float) -> _Suspicion:
        has_seen = self._memory is not None and self._memory.age_s >= SURE_S
        return _Suspicion(
            region_id=region_id("v", header, 0),
            first=header,
            since_s=since_s,
            sure_s=SURE_S if has_seen else FIRST_SIGHT_S,
            cause=cause,
        )

    def _is_clear(self, cause: Tampering, picture: Picture) -> bool:
        """Say whether nothing moves through the picture that could explain what is gone."""
        if not cause.is_by_places:
            return True
        if self._now_s - self._restless_s < REST_S - _SLACK_S:
            return False
        return cause is not Tampering.MOVED or picture.steadiness >= SAME

    def _ended(self, header: FrameHeader) -> ViewReading:
        suspicion, self._suspicion = self._suspicion, None
        if suspicion is None:
            return ViewReading()
        suspicion.see(header, gone=0.0, is_observed=False)
        return ViewReading(region=suspicion.region(TrackState.ENDED))


def _gone(cause: Tampering, picture: Picture) -> float:
    """Return the share of the scene that is gone: of its places, or of its detail."""
    likeness = picture.likeness
    if not cause.is_by_places:
        return 1.0
    of_detail = likeness.fine if cause is Tampering.DEFOCUSED else likeness.contrast
    return max(likeness.gone, 1 - min(1.0, of_detail) ** 2)


def _is_adopted(suspicion: _Suspicion, *, lasted_s: float) -> bool:
    """Say whether what is seen is to be taken for the camera's view from now on."""
    if suspicion.is_confirmed:
        return suspicion.cause is Tampering.MOVED and lasted_s >= ADOPT_S
    return suspicion.cause.is_by_places and lasted_s >= UNSETTLED_S
