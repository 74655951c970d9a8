"""Control groups: less of the machine for some processes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

_CGROUPS: Final = Path("/sys/fs/cgroup")


@contextmanager
def cgroup(controller: str, limits: dict[str, int]) -> Iterator[Path]:
    """A control group of one's own; the row fails where none can be made."""
    group = _CGROUPS / controller / f"vigil-chaos-{os.getpid()}"
    try:
        group.mkdir()
        for name, value in limits.items():
            (group / name).write_text(str(value))
    except OSError as error:
        pytest.fail(f"needs a writable cgroup {controller} ({error.strerror})")
    try:
        yield group
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (_CGROUPS / controller / "cgroup.procs").write_text(pid)
        for _ in range(50):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.1)
