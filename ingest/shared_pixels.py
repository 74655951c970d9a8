"""Pixels of frames in shared memory: who writes them, who reads them, and when they go so at all.

Whoever reads a camera's frames says in Redis which place it sees (``SharedFolder.place``). Frames
go by shared memory while their writer sees the same one, and as JPEG while it does not, or there is
no room: on another host, in another container, with the setting at 0.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import structlog

from contracts.clock import Clock
from contracts.codec import CodecError, decode, encode
from contracts.frames import BgrImage, Frame, FrameHeader, SharedPixels
from contracts.settings import QueueSettings
from ingest.frame_ring import RingReader, RingWriter
from ingest.planar_frame import PlanarFrame, to_bgr
from ingest.shared_folder import SharedFolder

log = structlog.get_logger()

NO_PLACE: Final = "jpeg"
"""What a reader says that can read no shared memory."""
_LOOK_EVERY_S: Final = 5.0
"""A writer looks so often whether it sees its reader's place by now."""
_RETRY_S: Final = 60.0
"""... and whether there is room by now."""
_LOST_S: Final = 10.0
"""A reader that could not open a ring takes JPEG for so long."""
_IDLE_S: Final = 30.0
"""... and unmaps one that it has read nothing from for so long."""


Form = Literal["bgr24", "i420"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a queue entry carries in place of pixels; their size stands in the frame's header."""

    ring: str
    number: int
    form: Form


@dataclass(slots=True, eq=False)
class _Lane:
    """What a writer knows of one camera."""

    reader: str = ""
    ring: RingWriter | None = None
    is_shared: bool = False
    retry_s: float = float("-inf")


class PixelSender:
    """Ingest's end. For one thread a camera.

    Args:
        folder: Where rings are.
        slots: Pictures that a camera's ring holds.
        clock: For when to try again.
    """

    def __init__(self, folder: SharedFolder, *, slots: int, clock: Clock) -> None:
        self._folder = folder
        self._slots = slots
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._place = ""
        self._looked_s = float("-inf")

    def heard(self, camera_id: str, place: str) -> None:
        """Note what the reader of a camera's frames says that it sees; empty if there is none."""
        self._lane(camera_id).reader = place

    def send(self, frame: Frame | PlanarFrame) -> bytes | None:
        """Return the reference by which the reader finds the pixels; None: send it as JPEG."""
        camera_id = frame.header.camera_id
        lane = self._lane(camera_id)
        if not self._is_seen_by(lane.reader):
            self._note(camera_id, lane, is_shared=False, cause="its reader sees other memory")
            return None
        planes = frame.planes if isinstance(frame, PlanarFrame) else (frame.pixels_HW3,)
        ring = self._ring(camera_id, lane, size=sum(plane.size for plane in planes))
        if ring is None:
            return None
        self._note(camera_id, lane, is_shared=True, cause="its reader sees the same memory")
        form: Form = "bgr24" if isinstance(frame, Frame) else "i420"
        return encode(Reference(ring=ring.name, number=ring.write(*planes), form=form))

    def let_go(self, camera_id: str) -> None:
        """Free the memory of a camera that is not read any more."""
        lane = self._lanes.pop(camera_id, None)
        if lane is not None and lane.ring is not None:
            lane.ring.close()

    def close(self) -> None:
        """Free all memory."""
        for camera_id in list(self._lanes):
            self.let_go(camera_id)

    def _lane(self, camera_id: str) -> _Lane:
        lane = self._lanes.get(camera_id)
        return lane or self._lanes.setdefault(camera_id, _Lane())

    def _is_seen_by(self, reader: str) -> bool:
        if reader in ("", NO_PLACE) or reader == self._place:
            return reader not in ("", NO_PLACE)
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            try:
                self._place = self._folder.place()
            except OSError as error:
                log.warning("no memory can be shared here", reason=str(error))
        return reader == self._place

    def _ring(self, camera_id: str, lane: _Lane, *, size: int) -> RingWriter | None:
        """Return a ring that holds pictures of that size; None while there is no room for one."""
        ring = lane.ring
        is_large_enough = ring is not None and size <= ring.slot_bytes
        if ring is not None and is_large_enough and (lane.is_shared or ring.is_there()):
            return ring
        now_s = self._clock.monotonic_s()
        if now_s < lane.retry_s:
            return None
        if ring is not None:
            ring.close()
        try:
            lane.ring = self._folder.make_ring(camera_id, slots=self._slots, slot_bytes=size)
        except OSError as error:
            lane.ring, lane.retry_s = None, now_s + _RETRY_S
            self._note(camera_id, lane, is_shared=False, cause=error.strerror or str(error))
        return lane.ring

    def _note(self, camera_id: str, lane: _Lane, *, is_shared: bool, cause: str) -> None:
        if is_shared is lane.is_shared:
            return
        lane.is_shared = is_shared
        how = "shared memory" if is_shared else "JPEG"
        log.info("frames go to vision", camera_id=camera_id, by=how, cause=cause)


@dataclass(frozen=True, slots=True, eq=False)
class _PixelsInRing:
    """Implements ``contracts.frames.SharedPixels``."""

    ring: RingReader
    reference: Reference
    header: FrameHeader

    def copy(self) -> BgrImage | None:
        pixels = self.header.height * self.header.width
        size = 3 * pixels if self.reference.form == "bgr24" else 3 * pixels // 2
        return self.ring.read(self.reference.number, size=size, take=self._taken)

    def _taken(self, content: npt.NDArray[np.uint8]) -> BgrImage:
        height, width = self.header.height, self.header.width
        if self.reference.form == "i420":
            return to_bgr(content, height=height, width=width)
        return content.reshape(height, width, 3).copy()


class _Gone:
    """Pixels whose ring cannot be reached: their writer has died, or is somewhere else."""

    def copy(self) -> BgrImage | None:
        return None


class PixelReceiver:
    """Vision's end. For one thread.

    Args:
        folder: Where rings are.
        clock: For when to try again.
    """

    def __init__(self, folder: SharedFolder, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._rings: dict[str, RingReader] = {}
        self._used_s: dict[str, float] = {}
        self._lost_until_s: dict[str, float] = {}

    def place(self) -> str:
        """Return the place that is seen here; rings that are read no more are unmapped."""
        idle_s = self._clock.monotonic_s() - _IDLE_S
        for camera_id in [one for one, used_s in self._used_s.items() if used_s < idle_s]:
            del self._used_s[camera_id]
            self._rings.pop(camera_id, None)
        try:
            return self._folder.place()
        except OSError:
            return NO_PLACE

    def is_lost(self, camera_id: str) -> bool:
        """Whether a camera's pixels could not be reached just now, so that JPEG is wanted."""
        return self._clock.monotonic_s() < self._lost_until_s.get(camera_id, float("-inf"))

    def receive(self, header: FrameHeader, content: bytes) -> SharedPixels:
        """Return where a frame's pixels are, which may be nowhere any more."""
        camera_id = header.camera_id
        self._used_s[camera_id] = self._clock.monotonic_s()
        try:
            reference = decode(content, Reference)
            ring = self._rings.get(camera_id)
            if ring is None or ring.name != reference.ring:
                ring = self._rings[camera_id] = self._folder.open_ring(reference.ring)
        except (OSError, ValueError, CodecError) as error:
            self._lost_until_s[camera_id] = self._clock.monotonic_s() + _LOST_S
            log.warning("pixels cannot be reached", camera_id=camera_id, reason=str(error))
            return _Gone()
        if reference.form == "i420" and (header.height % 2 or header.width % 2):
            return _Gone()
        return _PixelsInRing(ring, reference, header)


def slots_of(settings: QueueSettings) -> int:
    """Return how many pictures a camera's ring holds.

    All that may wait, one that is being written, and one for an entry that Redis took in without
    being able to say so.
    """
    return settings.frames_per_camera + 2


def shared_folder(settings: QueueSettings) -> SharedFolder | None:
    """Return where pixels are shared; None where the settings want JPEG."""
    if not settings.shared_memory_mb:
        return None
    limit_bytes = settings.shared_memory_mb * 1_000_000
    return SharedFolder(settings.shared_memory_folder, limit_bytes=limit_bytes)


def pixel_sender(settings: QueueSettings, clock: Clock) -> PixelSender | None:
    """Return ingest's end; what processes that have died left there is removed."""
    folder = shared_folder(settings)
    if folder is None:
        return None
    freed = folder.sweep()
    if freed:
        log.info("memory of processes that have died is free again", rings=freed)
    return PixelSender(folder, slots=slots_of(settings), clock=clock)


def pixel_receiver(settings: QueueSettings, clock: Clock) -> PixelReceiver | None:
    """Return vision's end."""
    folder = shared_folder(settings)
    return None if folder is None else PixelReceiver(folder, clock=clock)
