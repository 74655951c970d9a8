"""What a recorder takes from a ring, made of a file."""

from datetime import timedelta
from pathlib import Path

import av

from contracts.geometry import Zone
from ingest.clip_ring import ClipRing, Footage, Stretch
from tests.fakes.clock import START
from tests.ingest.rings import ring_of


def stretches_of(path: Path, *masks: Zone) -> tuple[Stretch, ...]:
    """All of a file, which begins at ``START``, from key frame to key frame."""
    ring = ring_of(path)
    ring.mask(masks)
    return ring.stretches_after(0)


def footage_of(path: Path) -> Footage:
    """All of a file as one clip."""
    return ring_of(path).cover("run1", START, START + timedelta(hours=1))


def pictures_of(path: Path) -> list[av.VideoFrame]:
    """The pictures of a file, in order of time."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


class GrowingRing(ClipRing):
    """A ring into which a test puts the stretches of a file one by one."""

    def __init__(self, stretches: tuple[Stretch, ...]) -> None:
        super().__init__(keep_s=1000.0)
        self._waiting = list(stretches)
        self.begin("run1")

    def begin(self, run_id: str) -> None:
        """Begin a run, at the time of the first stretch of the file."""
        first = self._waiting[0] if self._waiting else None
        if first is not None:
            self.begin_run(run_id, first.footage.template)
            self.anchor(first.footage.starts_at - timedelta(seconds=first.begins_s))

    def grow(self, stretches: int = 1) -> None:
        """Put stretches in; the newest is complete only when another follows or the run ends."""
        for _ in range(stretches):
            for packet in self._waiting.pop(0).footage.packets:
                self.add(packet)
