"""The data folder: made private, and held by one instance at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.errors import ConfigError


@contextmanager
def held_data_dir(folder: Path) -> Iterator[Path]:
    """Make the folder (readable by its owner only) and hold it until the block ends.

    The lock is the operating system's: it ends with the process, however that ends.

    Raises:
        ConfigError: It cannot be made or written, or another instance holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / "vigil.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"data_dir {folder} cannot be written ({error.strerror}); "
            "set VIGIL_DATA_DIR to a folder that can"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
            raise ConfigError(
                f"another Vigil (process {holder}) runs on data_dir {folder}; stop it, or set "
                "VIGIL_DATA_DIR to another folder"
            ) from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield folder.absolute()
    finally:
        os.close(lock)
