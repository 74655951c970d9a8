"""A camera's newest pictures in a file that processes of one host map: a ring of slots.

Each slot has a stamp: ``2n + 1`` while picture number ``n`` is being written into it, ``2n + 2``
from then on. Who reads looks at the stamp before and after copying, so that a picture that newer
ones overtook is known as gone and is never half of one and half of another.

The file begins with the words (8 bytes) magic, slots, bytes a slot and a stamp for each slot;
pictures begin at the next whole page. Its space is taken when it is made: a full disk is an error
then, not a crash at some later picture.
"""

import fcntl
import mmap
import os
import secrets
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage

SUFFIX: Final = ".ring"
_MAGIC: Final = int.from_bytes(b"vigil-r1", "little")
_WORDS: Final = 3
"""Words before the stamps."""
_PAGE: Final = mmap.PAGESIZE
_SLOTS_MAX: Final = 4096

_fence_lock: Final = threading.Lock()


class RingWriter:
    """The one writer of a ring. For one thread; its file goes when it is closed.

    The file is locked for as long as the process lives, so that ``is_left_behind`` knows the rings
    of the dead. A process that is forked from this one must not write.

    Args:
        folder: Of the file.
        name: What the file's name begins with.
        slots: Pictures that are kept.
        slot_bytes: Of the largest picture.

    Raises:
        OSError: The file cannot be made, or there is no room for it.
    """

    def __init__(self, folder: Path, name: str, *, slots: int, slot_bytes: int) -> None:
        if not 0 < slots <= _SLOTS_MAX:
            raise ValueError(f"{slots} slots; wanted: 1 to {_SLOTS_MAX}")
        self.name: Final = f"{name}-{secrets.token_hex(4)}{SUFFIX}"
        self.slots: Final = slots
        self.slot_bytes: Final = slot_bytes
        self._path = folder / self.name
        self._owner = os.getpid()
        self._count = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(self._path, flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size = ring_bytes(slots, slot_bytes)
            os.posix_fallocate(self._descriptor, 0, size)
            if not self.is_there():
                raise FileNotFoundError(f"{self.name} was removed while it was made")
            mapped = mmap.mmap(self._descriptor, size)
        except OSError:
            self.close()
            raise
        self._stamps_S, self._pictures_SB = _parts(mapped, slots, slot_bytes)
        words = np.frombuffer(mapped, np.uint64, _WORDS)
        words[:] = (_MAGIC, slots, slot_bytes)

    def write(self, *planes: npt.NDArray[np.uint8]) -> int:
        """Put a picture in the place of the oldest, plane behind plane; return its number."""
        number, self._count = self._count, self._count + 1
        slot = number % self.slots
        self._stamps_S[slot] = 2 * number + 1
        _fence()
        end = 0
        for plane in planes:
            begin, end = end, end + plane.size
            np.copyto(self._pictures_SB[slot, begin:end].reshape(plane.shape), plane)
        _fence()
        self._stamps_S[slot] = 2 * number + 2
        return number

    def is_there(self) -> bool:
        """Whether others can still find the file: sessions that end may take it along."""
        return self._descriptor >= 0 and os.fstat(self._descriptor).st_nlink > 0

    def close(self) -> None:
        """Remove the file; who has it open still reads it. Calling it again does nothing."""
        if self._descriptor < 0 or os.getpid() != self._owner:
            return
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1


class RingReader:
    """Reads the pictures of a ring, from any process and thread.

    Args:
        path: Of the file.

    Raises:
        OSError: It is not there, or not ours.
        ValueError: It is no ring.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise PermissionError(f"{path.name} is no file of this user")
            if found.st_size < 8 * _WORDS:
                raise ValueError(f"{path.name} is no ring")
            mapped = mmap.mmap(descriptor, found.st_size, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)
        magic, slots, slot_bytes = (int(word) for word in np.frombuffer(mapped, np.uint64, _WORDS))
        is_ring = magic == _MAGIC and 0 < slots <= _SLOTS_MAX
        if not is_ring or ring_bytes(slots, slot_bytes) != found.st_size:
            raise ValueError(f"{path.name} is no ring")
        self.name: Final = path.name
        self._stamps_S, self._pictures_SB = _parts(mapped, slots, slot_bytes)

    def read(
        self, number: int, *, size: int, take: Callable[[npt.NDArray[np.uint8]], BgrImage]
    ) -> BgrImage | None:
        """Return picture ``number`` as nobody may write to it; None if it is gone.

        Args:
            number: What writing it returned.
            size: Its bytes.
            take: Makes a copy of them, which may be of another form. They can be overtaken
                meanwhile, so that nothing may be concluded from them yet.
        """
        slots, slot_bytes = self._pictures_SB.shape
        slot, stamp = number % slots, 2 * number + 2
        if size > slot_bytes or int(self._stamps_S[slot]) != stamp:
            return None
        taken = take(self._pictures_SB[slot, :size])
        _fence()
        if int(self._stamps_S[slot]) != stamp:
            return None
        taken.flags.writeable = False
        return taken


class LeftBehind:
    """The ring of a process that has died, held so that nobody else removes it meanwhile."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """Return what a dead process left at ``path``; None if its writer lives, or it is gone."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def ring_bytes(slots: int, slot_bytes: int) -> int:
    """Return the size of a ring's file."""
    return _head_bytes(slots) + slots * slot_bytes


def _head_bytes(slots: int) -> int:
    return -(-8 * (_WORDS + slots) // _PAGE) * _PAGE


def _parts(
    mapped: mmap.mmap, slots: int, slot_bytes: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    """Return the stamps (S) and the pictures (S, B) of a mapped ring."""
    stamps_S = np.frombuffer(mapped, np.uint64, slots, offset=8 * _WORDS)
    pictures = np.frombuffer(mapped, np.uint8, slots * slot_bytes, offset=_head_bytes(slots))
    return stamps_S, pictures.reshape(slots, slot_bytes)


def _fence() -> None:
    """Keep the processor from moving what stands before it behind it, and the other way round.

    Needed on ARM alone; taking a lock is what Python has for it.
    """
    with _fence_lock:
        pass
