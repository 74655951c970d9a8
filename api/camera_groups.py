"""Which cameras share an ingest process, so that a crash in a decoder takes few of them along."""

from collections import Counter
from collections.abc import Iterable, Mapping


class CameraGroups:
    """Assigns cameras to groups, once: a camera that crashes its process never wanders.

    Args:
        size: Cameras in a group at most.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._group_of: dict[str, int] = {}

    def assign(self, camera_ids: Iterable[str]) -> Mapping[str, int]:
        """Return the group of each camera, from 1 on; new ones fill the first with room."""
        wanted = sorted(camera_ids)
        self._group_of = {
            camera_id: group for camera_id, group in self._group_of.items() if camera_id in wanted
        }
        sizes = Counter(self._group_of.values())
        for camera_id in wanted:
            if camera_id in self._group_of:
                continue
            group = 1
            while sizes[group] >= self._size:
                group += 1
            self._group_of[camera_id] = group
            sizes[group] += 1
        return dict(self._group_of)

    @property
    def numbers(self) -> list[int]:
        """The groups that have a camera, in order; the first always exists."""
        return sorted({1, *self._group_of.values()})
