"""Ports kept in memory, with the failures that their contracts allow, switched on by a flag."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from api.transport.work_queue import GROUPS
from contracts.cameras import Camera, CameraStatus
from contracts.clock import Clock
from contracts.errors import EvidenceMissing, StorageFull, TransportUnavailable
from contracts.frames import EncodedFrame, FrameOutcome, QueuedFrame
from contracts.queues import LivePicture, WorkItem
from ingest.frame_account import FrameAccount


class InMemoryWorkQueue:
    """Topics with groups; an item stays until each group of its topic has acknowledged it.

    ``is_down`` makes every call raise; ``failures`` makes the next so many publishes raise.
    """

    def __init__(self) -> None:
        self.is_down = False
        self.failures = 0
        self.published: list[tuple[str, str, bytes]] = []
        self._waiting: dict[tuple[str, str], list[WorkItem]] = defaultdict(list)
        self._handed_out: dict[tuple[str, str], dict[str, WorkItem]] = defaultdict(dict)

    def publish(self, topic: str, *, item_id: str, payload: bytes) -> None:
        self._check("publishing")
        if self.failures:
            self.failures -= 1
            raise TransportUnavailable(f"publishing to {topic}: told to fail")
        self.published.append((topic, item_id, payload))
        for group in GROUPS[topic]:
            item = WorkItem(
                topic=topic,
                group=group,
                entry_id=str(len(self.published)),
                item_id=item_id,
                payload=payload,
            )
            self._waiting[topic, group].append(item)

    def receive(
        self, topics: Sequence[str], *, group: str, max_items: int, timeout_s: float
    ) -> list[WorkItem]:
        self._check("receiving")
        items: list[WorkItem] = []
        for topic in topics:
            waiting = self._waiting[topic, group]
            taken, waiting[:] = (
                waiting[: max_items - len(items)],
                waiting[max_items - len(items) :],
            )
            self._handed_out[topic, group].update({item.entry_id: item for item in taken})
            items += taken
        return items

    def acknowledge(self, item: WorkItem) -> None:
        self._check("acknowledging")
        self._handed_out[item.topic, item.group].pop(item.entry_id, None)

    def unacknowledged(self, topic: str, group: str) -> int:
        """Items that the group has been handed or has yet to receive."""
        return len(self._handed_out[topic, group]) + len(self._waiting[topic, group])

    def payloads(self, topic: str) -> list[bytes]:
        """Everything ever published to the topic, in order."""
        return [payload for name, _, payload in self.published if name == topic]

    def _check(self, doing: str) -> None:
        if self.is_down:
            raise TransportUnavailable(f"{doing}: told to be down")


class InMemoryEvidence:
    """Bytes by content address; ``is_full`` makes ``put`` raise."""

    def __init__(self) -> None:
        self.is_full = False
        self.contents: dict[str, bytes] = {}

    def put(self, content: bytes, *, suffix: str) -> str:
        if self.is_full:
            raise StorageFull("evidence: told to be full")
        ref = f"sha256-{hashlib.sha256(content).hexdigest()}.{suffix}"
        self.contents[ref] = content
        return ref

    def get(self, ref: str) -> bytes:
        if ref not in self.contents:
            raise EvidenceMissing(f"no evidence {ref}")
        return self.contents[ref]


class InMemoryFrames:
    """All ends of the frame queue: writer, reader and ledger of any number of cameras."""

    def __init__(self, *, frames_per_camera: int = 16, clock: Clock | None = None) -> None:
        self.is_down = False
        self._limit = frames_per_camera
        self._clock = clock
        self._queued: dict[str, list[QueuedFrame]] = defaultdict(list)
        self._received: dict[str, int] = defaultdict(int)
        self._outcomes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._unqueued: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        self._seen: set[str] = set()
        self._entries = 0

    def put(self, frame: EncodedFrame) -> None:
        camera_id = frame.header.camera_id
        self._received[camera_id] += 1
        self._entries += 1
        queued = self._queued[camera_id]
        queued_at = self._clock.now() if self._clock else None
        queued.append(QueuedFrame(entry_id=str(self._entries), frame=frame, queued_at=queued_at))
        while len(queued) > self._limit:
            queued.pop(0)
            self._outcomes[camera_id][FrameOutcome.QUEUE_FULL] += 1

    def count_unqueued(self, camera_id: str, *, skipped: int = 0, corrupt: int = 0) -> None:
        self._unqueued[camera_id][0] += skipped
        self._unqueued[camera_id][1] += corrupt

    def take(self, camera_ids: Sequence[str], *, timeout_s: float) -> list[QueuedFrame]:
        self._check()
        taken = [
            queued
            for camera_id in camera_ids
            for queued in self._queued[camera_id]
            if queued.entry_id not in self._seen
        ]
        self._seen.update(queued.entry_id for queued in taken)
        return taken

    def settle(self, queued: QueuedFrame, outcome: FrameOutcome) -> bool:
        self._check()
        camera_id = queued.frame.header.camera_id
        kept = [entry for entry in self._queued[camera_id] if entry.entry_id != queued.entry_id]
        if len(kept) == len(self._queued[camera_id]):
            return False
        self._queued[camera_id] = kept
        self._outcomes[camera_id][outcome] += 1
        return True

    def account(self, camera_id: str) -> FrameAccount:
        skipped, corrupt = self._unqueued[camera_id]
        return FrameAccount(
            received=self._received[camera_id],
            queued=len(self._queued[camera_id]),
            outcomes=dict(self._outcomes[camera_id]),
            skipped=skipped,
            corrupt=corrupt,
        )

    def restart_reader(self) -> None:
        """A new reader begins with the oldest unsettled frame."""
        self._seen.clear()

    def _check(self) -> None:
        if self.is_down:
            raise TransportUnavailable("frame queue: told to be down")


class InMemoryCameras:
    """The camera directory; a test changes ``listed``."""

    def __init__(self, cameras: Iterable[Camera] = ()) -> None:
        self.is_down = False
        self.listed = list(cameras)
        self.statuses: list[CameraStatus] = []

    def cameras(self) -> Sequence[Camera]:
        if self.is_down:
            raise TransportUnavailable("camera directory: told to be down")
        return list(self.listed)

    def publish_status(self, status: CameraStatus) -> None:
        self.statuses.append(status)


class InMemoryLeases:
    """One holder's view; names in ``held_elsewhere`` are refused."""

    def __init__(self) -> None:
        self.is_down = False
        self.held_elsewhere: set[str] = set()
        self.held: dict[str, int] = {}
        self._tokens = 0

    def acquire(self, name: str) -> int | None:
        if self.is_down:
            raise TransportUnavailable("leases: told to be down")
        if name in self.held_elsewhere:
            self.held.pop(name, None)
            return None
        if name not in self.held:
            self._tokens += 1
            self.held[name] = self._tokens
        return self.held[name]

    def release(self, name: str) -> None:
        self.held.pop(name, None)


class InMemoryCheckpoints:
    """What a vision worker finds again after a crash; ``saves_left`` may run out."""

    def __init__(self) -> None:
        self.is_down = False
        self.saves_left: int | None = None
        self.contents: dict[str, bytes] = {}
        self.saves = 0

    def load(self, camera_id: str) -> bytes | None:
        if self.is_down:
            raise TransportUnavailable("checkpoints: told to be down")
        return self.contents.get(camera_id)

    def save(self, camera_id: str, content: bytes) -> None:
        if self.is_down or self.saves_left == 0:
            raise TransportUnavailable("checkpoints: told to be down")
        if self.saves_left is not None:
            self.saves_left -= 1
        self.contents[camera_id] = content
        self.saves += 1


class RecordingLiveView:
    """Remembers every picture shown."""

    def __init__(self) -> None:
        self.pictures: list[LivePicture] = []

    def is_due(self, camera_id: str) -> bool:
        del camera_id
        return True

    def show(self, picture: LivePicture) -> None:
        self.pictures.append(picture)
