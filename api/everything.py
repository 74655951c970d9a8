"""All stages under one supervisor, with the Redis that they share: what ``vigil run`` runs.

Apart from ``api/commands/run.py``, since a stage's process needs none of it and starts sooner.
"""

import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx
import structlog

from api.camera_groups import CameraGroups
from api.console import say
from api.observability import start_thread
from api.supervisor import STAGES, Supervisor
from api.transport.connection import RedisClient, check_server, connect
from api.transport.directory import RedisCameraDirectory
from api.transport.heartbeats import RedisHeartbeats
from api.transport.redis_server import EmbeddedRedis
from api.wiring.cameras import declared_cameras
from api.wiring.context import database_url
from api.wiring.first_start import check_settings, prepare, sign_in_link
from contracts.clock import Clock, SystemClock
from contracts.errors import ConfigError, TransportUnavailable
from contracts.settings import Settings

log = structlog.get_logger()

_READY_WAIT_S: Final = 60.0
_POLL_S: Final = 0.2


def run_all(settings: Settings, environment: Mapping[str, str], stop: threading.Event) -> int:
    """Keep all stages running under one supervisor until told to stop.

    Args:
        settings: With the data folder that this process holds.
        environment: That of the command, for the stages' processes.
        stop: Ends it.

    Raises:
        ConfigError: Something in the settings, or on this machine, does not fit.
    """
    clock = SystemClock()
    declared = declared_cameras(settings)
    check_settings(settings)
    port = _claim_port(settings.api.host, settings.api.port)
    server = _embedded_redis(settings, clock)
    redis_url = server.url if server else settings.redis_url.get_secret_value()
    try:
        if server:
            server.start()
        client = connect(redis_url)
        _refuse_unsafe_redis(client)
        # Else the stages would begin with the cameras that the last run left on Redis.
        directory = RedisCameraDirectory(client)
        directory.publish_cameras(prepare(settings, declared, clock))
        groups = CameraGroups(settings.ingest.cameras_per_process)
        heartbeats = RedisHeartbeats(client)
        supervisor = Supervisor(
            _wanted(directory, groups),
            environment=_stage_environment(settings, environment, redis_url=redis_url, port=port),
            clock=clock,
            is_silent=lambda pid: _is_silent(heartbeats, pid),
            wanted=lambda: _wanted(directory, groups),
        )
        threads = [start_thread("supervisor", supervisor.run, stop)]
        if server:
            threads.append(
                start_thread("redis-watch", lambda told: _keep_alive(server, told), stop)
            )
        _welcome(settings, port, clock, stop)
        stop.wait()
        say("\nStopping ...")
        for thread in threads:
            thread.join()
    finally:
        if server:
            server.stop()
    say("Stopped. State is kept; start again to go on.")
    return 0


def _wanted(directory: RedisCameraDirectory, groups: CameraGroups) -> list[str]:
    """Return the processes to run: one for each stage, of ingest one for each group of cameras."""
    try:
        directory.publish_groups(
            groups.assign(camera.camera_id for camera in directory.cameras() if camera.is_enabled)
        )
    except TransportUnavailable as error:
        log.debug("groups of cameras stay as they are", cause=str(error))
    more = [f"ingest-{number}" for number in groups.numbers if number > 1]
    return [*STAGES, *more]


def _embedded_redis(settings: Settings, clock: Clock) -> EmbeddedRedis | None:
    if settings.redis_url.get_secret_value():
        return None
    return EmbeddedRedis(settings.data_dir / "redis", clock=clock)


def _keep_alive(server: EmbeddedRedis, stop: threading.Event) -> None:
    while not stop.wait(_POLL_S):
        if not server.is_running:
            log.error("embedded Redis ended, starting it again")
            server.start()


def _refuse_unsafe_redis(client: RedisClient) -> None:
    try:
        problems = check_server(client)
    except TransportUnavailable as error:
        raise ConfigError(
            f"{error}; start the Redis of VIGIL_REDIS_URL, or unset it to use the embedded one"
        ) from error
    if problems:
        raise ConfigError("Redis cannot carry alerts safely:\n  " + "\n  ".join(problems))


def _claim_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"the dashboard cannot listen on {host}:{port} ({error.strerror}); set "
                "VIGIL_API__PORT (0 takes a free one) or VIGIL_API__HOST"
            ) from error
        return int(probe.getsockname()[1])


def _stage_environment(
    settings: Settings, environment: Mapping[str, str], *, redis_url: str, port: int
) -> dict[str, str]:
    passed = {name: value for name, value in environment.items() if name != "VIGIL_SOURCE"}
    passed.update(
        VIGIL_DATA_DIR=str(settings.data_dir),
        VIGIL_REDIS_URL=redis_url,
        VIGIL_DATABASE_URL=database_url(settings),
        VIGIL_API__PORT=str(port),
        VIGIL_LOG_LEVEL=settings.log_level,
    )
    passed.setdefault("OMP_NUM_THREADS", "1")
    return passed


def _is_silent(heartbeats: RedisHeartbeats, pid: int) -> bool:
    try:
        return all(health.pid != pid for health in heartbeats.stages())
    except TransportUnavailable:
        return False


def _welcome(settings: Settings, port: int, clock: Clock, stop: threading.Event) -> None:
    host = settings.api.host
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  # compared, not bound
    base_url = settings.api.public_url or f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    deadline_s = clock.monotonic_s() + _READY_WAIT_S
    while not stop.is_set() and clock.monotonic_s() < deadline_s:
        if _is_up(f"http://127.0.0.1:{port}/healthz" if host != "::1" else f"{base_url}/healthz"):
            break
        stop.wait(_POLL_S)
    if stop.is_set():
        return
    say(f"\nVigil is watching. Dashboard: {base_url}")
    say("Sign in once with this link (valid for 24 hours; another: vigil sign-in-link):")
    say(f"  {sign_in_link(settings, clock, base_url)}")
    say(f"State: {Path(settings.data_dir)}. Ctrl-C stops.\n")


def _is_up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1.0).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
