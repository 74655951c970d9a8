"""The few frames of each track that evidence is made of, as JPEG once they are not the newest."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.tracks import Track, TrackState
from vision.picture import Picture
from vision.watch import Watched

MAX_TRACKS: Final = 48
"""Tracks whose frames are kept, newest seen first: at most four JPEGs of 25 KB each."""


class Moment(StrEnum):
    """What a key frame of a track shows, in the order of time."""

    FIRST = "first"
    """The track was seen for the first time."""
    ENTRY = "entry"
    """It came into the zone, or was about to cross the line."""
    DECISIVE = "decisive"
    """The rule fired."""
    LAST = "last"
    """Newest frame in which it was seen."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyFrame:
    """One kept frame with the boxes of all tracks seen in it."""

    picture: Picture
    boxes: Mapping[str, Box]

    @property
    def header(self) -> FrameHeader:
        """The frame's header."""
        return self.picture.header


class KeyFrames:
    """Keeps the key frames of one camera's run in bounded memory.

    One frame is kept once, however many tracks it is a key frame of. The tracks seen least
    recently are forgotten first.
    """

    def __init__(self, *, max_tracks: int = MAX_TRACKS) -> None:
        self._max_tracks = max_tracks
        self._kept: OrderedDict[str, dict[Moment, KeyFrame]] = OrderedDict()
        self._current: KeyFrame | None = None
        self._previous: KeyFrame | None = None

    def look(self, picture: Picture, *, tracks: Sequence[Track]) -> None:
        """Take the newest frame with its tracks."""
        seen = [
            track
            for track in tracks
            if track.last.is_observed
            and track.last.seq == picture.header.seq
            and track.state in (TrackState.TENTATIVE, TrackState.CONFIRMED)
        ]
        boxes = {track.track_id: track.last.box for track in seen}
        left, self._previous = self._previous, self._current
        self._current = KeyFrame(picture=picture, boxes=boxes)
        for track_id in boxes:
            frames = self._kept.setdefault(track_id, {Moment.FIRST: self._current})
            frames[Moment.LAST] = self._current
            self._kept.move_to_end(track_id)
        while len(self._kept) > self._max_tracks:
            self._kept.popitem(last=False)
        if left is not None and self._is_kept(left):
            left.picture.fold()

    def mark(self, track_id: str, moment: Moment) -> None:
        """Keep the newest frame as that moment of the track, in place of an earlier one."""
        if self._current is not None:
            self._kept.setdefault(track_id, {})[moment] = self._current

    def mark_approach(self, track_id: str) -> None:
        """Keep the frame before the newest as the track's entry: the near side of a line."""
        frame = self._previous or self._current
        if frame is not None:
            self._kept.setdefault(track_id, {})[Moment.ENTRY] = frame

    def keep(self, watched: Watched, *, view: Track | None) -> None:
        """Keep the newest frame as evidence for whom something changed in it."""
        for track_id in watched.arrived:
            self.mark(track_id, Moment.ENTRY)
        if view is not None and view.track_id in watched.arrived:
            # What it looked like before is what shows that something is wrong now.
            self.mark_approach(view.track_id)
        for event in watched.events:
            for track_id in (event.track_id, *event.other_track_ids):
                self.mark(track_id, Moment.DECISIVE)
            if event.line_id:
                self.mark_approach(event.track_id)

    def of(self, track_id: str) -> Mapping[Moment, KeyFrame]:
        """Return what is kept of a track; empty if it is forgotten."""
        return dict(self._kept.get(track_id, {}))

    def cited(self, track_id: str) -> dict[Moment, str]:
        """Return the ids of the frames kept of a track."""
        return {moment: frame.header.frame_id for moment, frame in self.of(track_id).items()}

    def _is_kept(self, frame: KeyFrame) -> bool:
        return any(frame is one for frames in self._kept.values() for one in frames.values())
