"""Audit lines about cameras: what they hide, what is kept, who looked, that they are gone."""

from datetime import datetime
from typing import Final

from alerts.history.ports import AuditLine
from alerts.payload import rfc3339
from api.plain import to_plain
from contracts.cameras import Camera
from contracts.codec import decode, encode
from contracts.geometry import Zone

MASKS_CHANGED: Final = "camera.masks"
"""Audit action: the privacy masks of a camera are others than before, or went with it."""
CAMERA_REMOVED: Final = "camera.removed"
"""Audit action: a camera without privacy masks was removed."""
KEEPING_CHANGED: Final = "camera.keeping"
"""Audit action: whether all of a camera's video, or its sound, is kept is otherwise than before."""
RECORDING_READ: Final = "recording.read"
"""Audit action: somebody was given a part of a camera's continuous recording."""


class CameraAuditor:
    """Writes lines for one person or program.

    Args:
        by: Who.
        how: How they signed in; ``start`` for Vigil itself.
        at: When.
    """

    def __init__(self, *, by: str, how: str, at: datetime) -> None:
        self._by = by
        self._how = how
        self._at = at

    def masks(self, camera: Camera, masks: tuple[Zone, ...]) -> AuditLine:
        """Return the line of new privacy masks."""
        return self._line(camera.camera_id, MASKS_CHANGED, to_plain(camera.masks), to_plain(masks))

    def removal(self, camera: Camera) -> AuditLine:
        """Return the line of a camera that is removed: that of its masks, if it has any."""
        if camera.masks:
            return self.masks(camera, ())
        before = {"name": camera.name, "place": camera.place}
        return self._line(camera.camera_id, CAMERA_REMOVED, before, None)

    def keeping(self, before: Camera | None, after: Camera) -> AuditLine | None:
        """Return the line of a change of what is kept of a camera; None if that stays."""
        kept = _kept(after)
        was = dict.fromkeys(kept, False) if before is None else _kept(before)
        if kept == was:
            return None
        return self._line(after.camera_id, KEEPING_CHANGED, was, kept)

    def reading(
        self, camera_id: str, *, part_id: str, starts_at: datetime, ends_at: datetime
    ) -> AuditLine:
        """Return the line of a look at a part of the recording; the camera may be gone."""
        seen = {"part": part_id, "start": rfc3339(starts_at), "end": rfc3339(ends_at)}
        return self._line(camera_id, RECORDING_READ, None, seen)

    def _line(self, camera_id: str, action: str, before: object, after: object) -> AuditLine:
        return AuditLine(
            at=self._at,
            by=self._by,
            how=self._how,
            action=action,
            subject=camera_id,
            before=before,
            after=after,
        )


def zones_of(plain: object) -> tuple[Zone, ...]:
    """Return the masks that an audit line names."""
    return decode(encode(plain), tuple[Zone, ...])


def _kept(camera: Camera) -> dict[str, bool]:
    return {"record": camera.is_recorded, "audio": camera.keeps_audio}
