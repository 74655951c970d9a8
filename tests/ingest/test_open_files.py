"""What is open is counted, also where counting is not possible any more."""

import contextlib
import errno
import os
import resource
from pathlib import Path

import pytest

from ingest.open_files import in_use, is_short_of_files, limit


def test_what_is_open_is_counted() -> None:
    before = in_use()

    with Path(os.devnull).open():
        assert in_use() == before + 1


def test_where_none_is_left_all_are_in_use() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    last = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir()) + 1
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (last, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                held.append(os.dup(0))
        found = in_use()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in held:
            os.close(descriptor)

    assert found == last


def test_without_a_limit_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: infinite)

    assert limit() == float("inf")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_want_of_files_is_known_behind_another_error(number: int) -> None:
    error = ConnectionError("cannot connect")
    error.__cause__ = OSError(number, "Too many open files")

    assert is_short_of_files(error)


def test_other_errors_are_no_want_of_files() -> None:
    assert not is_short_of_files(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
    assert not is_short_of_files(ValueError("number"))
