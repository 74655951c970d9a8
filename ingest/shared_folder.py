"""The folder in which the processes of one user share pixels, and whether two see the same one."""

import errno
import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingest.frame_ring import SUFFIX, LeftBehind, RingReader, RingWriter, ring_bytes

_TOKEN: Final = "place"  # noqa: S105  # names the folder, opens nothing
_NAME: Final = re.compile(rf"[a-z0-9_-]{{1,80}}\{SUFFIX}")
_PLACE: Final = re.compile(r"[0-9a-f]{32}")


class SharedFolder:
    """A folder ``vigil-<user>`` that nobody else may enter, in a tmpfs.

    Args:
        parent: The tmpfs, for instance ``/dev/shm``.
        limit_bytes: All rings in the folder together, whichever process they are of.
    """

    def __init__(self, parent: Path, *, limit_bytes: int) -> None:
        self.path: Final = parent / f"vigil-{os.geteuid()}"
        self.limit_bytes: Final = limit_bytes

    def place(self) -> str:
        """Return what names the folder: the same for those, and only those, who see the same one.

        Whether that is so for two containers or hosts cannot be told by names of machines, but by
        a file with a random number.

        Raises:
            OSError: There is no such folder, or it is not safe to use.
        """
        self._make()
        token = self.path / _TOKEN
        try:
            found = token.read_text("ascii", "replace")
        except FileNotFoundError:
            drawn = self.path / f"{_TOKEN}-{secrets.token_hex(8)}"
            drawn.touch(mode=0o600)
            drawn.write_text(secrets.token_hex(16), "ascii")
            with suppress(FileExistsError):
                os.link(drawn, token)
            drawn.unlink()
            found = token.read_text("ascii", "replace")
        if not _PLACE.fullmatch(found):
            raise OSError(errno.EINVAL, "what names the place cannot be read", str(token))
        return found

    def make_ring(self, camera_id: str, *, slots: int, slot_bytes: int) -> RingWriter:
        """Return a new ring for a camera; what dead processes left is removed before.

        Raises:
            OSError: There is no room for it, or the folder cannot be used.
        """
        self._make()
        self.sweep()
        size = ring_bytes(slots, slot_bytes)
        if self.used_bytes() + size > self.limit_bytes:
            limit = f"queue.shared_memory_mb = {self.limit_bytes / 1e6:.0f} is reached"
            raise OSError(errno.ENOSPC, limit)
        return RingWriter(self.path, camera_id, slots=slots, slot_bytes=slot_bytes)

    def open_ring(self, name: str) -> RingReader:
        """Return the ring of that name.

        Raises:
            OSError: It cannot be reached.
            ValueError: It is no ring, or no name of one.
        """
        if not _NAME.fullmatch(name):
            raise ValueError("this is no name of a ring")
        return RingReader(self.path / name)

    def used_bytes(self) -> int:
        """Return the size of all rings in the folder."""
        used = 0
        for path in self.path.glob(f"*{SUFFIX}"):
            with suppress(OSError):
                used += path.stat().st_size
        return used

    def sweep(self) -> int:
        """Remove the rings of processes that have died; return how many."""
        left = [LeftBehind.of(path) for path in self.path.glob(f"*{SUFFIX}")]
        dead = [one for one in left if one is not None]
        for one in dead:
            one.remove()
        return len(dead)

    def _make(self) -> None:
        with suppress(FileExistsError):
            self.path.mkdir(mode=0o700)
        found = self.path.lstat()
        is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if not is_ours or found.st_mode & 0o077:
            raise PermissionError(
                errno.EPERM,
                "is not a folder of this user that nobody else may enter",
                str(self.path),
            )
