"""The newest picture of each camera, for whoever looks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.cameras import CameraView
from contracts.frames import FrameHeader
from contracts.queues import LiveBox, LivePicture
from contracts.tracks import Track
from vision.drawing import doubles
from vision.picture import Picture
from vision.rules.rule import is_seen_now


class LiveView(Protocol):
    """Newest picture per camera; losing it costs nothing."""

    def is_due(self, camera_id: str) -> bool:
        """Whether a picture of the camera is wanted now: somebody looks, or the last is old."""
        ...

    def show(self, picture: LivePicture) -> None:
        """Replace the camera's newest picture. What cannot be sent is dropped."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiveScene:
    """A frame as dashboards show it, before somebody wants it as JPEG."""

    picture: Picture
    boxes: tuple[LiveBox, ...]
    view: CameraView

    @property
    def header(self) -> FrameHeader:
        """The frame's header."""
        return self.picture.header

    def taken(self) -> LivePicture:
        """Return it as it is sent."""
        return LivePicture(
            header=self.header, jpeg=self.picture.jpeg, boxes=self.boxes, view=self.view
        )


def live_scene(
    picture: Picture,
    tracks: Sequence[Track],
    *,
    alerting: Collection[str],
    view: CameraView,
) -> LiveScene:
    """Return a frame for dashboards, with what is seen in it now.

    Args:
        picture: As it came.
        tracks: All that are alive.
        alerting: Ids of those that belong to open incidents.
        view: Whether the camera sees.
    """
    seen = [track for track in tracks if is_seen_now(track, picture.header)]
    hidden = doubles({track.track_id: track.last.box for track in seen}, alerting=alerting)
    boxes = tuple(
        LiveBox(
            track_id=track.track_id,
            label=track.label,
            box=track.last.box,
            is_alerting=track.track_id in alerting,
        )
        for track in seen
        if track.track_id not in hidden
    )
    return LiveScene(picture=picture, boxes=boxes, view=view)
