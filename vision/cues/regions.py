"""The life of a region: a part of the picture that a cue follows, as the track that rules see."""

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.tracks import Track, TrackPoint, TrackState

HISTORY_S: Final = 180.0
"""Points older than this are forgotten, as those of objects are."""
HISTORY_POINTS: Final = 6000


class RegionLife:
    """One region from its beginning to its end; ``snapshot`` is what others see of it.

    Args:
        region_id: Begins with ``r``; unique in the run (``region_id`` below makes one).
        label: What it is, as far as that is known.
        headers: Of the frames in which it has been seen so far, oldest first, at least one.
        box: Where it was in all of them.
        confidence: In the newest of them, 0 to 1.
        since_s: Stream time at which it began, if that was before the first of them.
    """

    def __init__(
        self,
        region_id: str,
        *,
        label: str,
        headers: Sequence[FrameHeader],
        box: Box,
        confidence: float,
        since_s: float | None = None,
    ) -> None:
        first = headers[0]
        self.region_id = region_id
        self.label = label
        self.box = box
        self.state = TrackState.CONFIRMED
        self._first = first
        self._since_s = first.monotonic_s if since_s is None else since_s
        self._hits = 0
        self._misses = 0
        self._missed_since = 0
        self._points: deque[TrackPoint] = deque(maxlen=HISTORY_POINTS)
        for header in headers:
            self.see(header, box=box, confidence=confidence)

    @property
    def since_s(self) -> float:
        """Stream time at which it began."""
        return self._since_s

    @property
    def seen_s(self) -> float:
        """Stream time at which it was last seen."""
        return self._seen_s

    def see(self, header: FrameHeader, *, box: Box, confidence: float) -> None:
        """Record that it was seen."""
        self._hits += 1
        self._misses += self._missed_since
        self._missed_since = 0
        self.state = TrackState.CONFIRMED
        self.box = box
        self._seen_s = header.monotonic_s
        self._add(header, confidence=confidence, is_observed=True)

    def miss(self, header: FrameHeader) -> None:
        """Record that something hides it; it is taken to be where it was."""
        self._missed_since += 1
        self.state = TrackState.LOST
        self._add(header, confidence=0.0, is_observed=False)

    def end(self, header: FrameHeader) -> None:
        """Record that it is no more."""
        self.miss(header)
        self.state = TrackState.ENDED

    def snapshot(self) -> Track:
        """Return the region as of its newest point."""
        early_s = self._first.monotonic_s - self._since_s
        return Track(
            track_id=self.region_id,
            camera_id=self._first.camera_id,
            run_id=self._first.run_id,
            label=self.label,
            label_confidence=1.0,
            state=self.state,
            points=tuple(self._points),
            hits=self._hits,
            misses=self._misses,
            first_seen_at=self._first.captured_at - timedelta(seconds=early_s),
            first_seen_s=self._since_s,
            is_region=True,
        )

    def _add(self, header: FrameHeader, *, confidence: float, is_observed: bool) -> None:
        self._points.append(
            TrackPoint(
                seq=header.seq,
                monotonic_s=header.monotonic_s,
                captured_at=header.captured_at,
                box=self.box,
                confidence=confidence,
                is_observed=is_observed,
            )
        )
        while header.monotonic_s - self._points[0].monotonic_s > HISTORY_S:
            self._points.popleft()


def region_id(cue: str, header: FrameHeader, index: int) -> str:
    """Return an id that no other region of the run has, also after another process took over.

    Args:
        cue: One letter for the cue that follows it.
        header: Of the frame in which it was found.
        index: Which of that cue's finds in that frame, from 0.
    """
    return f"r{cue}{header.seq}" + (f"-{index}" if index else "")
