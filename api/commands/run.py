"""``vigil run``: watch the cameras, all stages under one supervisor or one stage alone."""

import argparse
import importlib
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import structlog
from prometheus_client import REGISTRY

from api.camera_groups import CameraGroups
from api.console import say
from api.data_dir import held_data_dir
from api.observability import Heartbeat, set_up_logging, start_thread
from api.ports import StageHealth
from api.settings_file import SETTINGS_FILE_VARIABLE
from api.supervisor import STAGES, Supervisor, stop_on_signals, stop_with_parent
from api.transport.connection import RedisClient, check_server, connect
from api.transport.directory import RedisCameraDirectory
from api.transport.heartbeats import RedisHeartbeats
from api.transport.redis_server import EmbeddedRedis
from api.wiring.cameras import declared_cameras
from api.wiring.context import StageContext, database_url, make_context
from api.wiring.first_start import check_settings, prepare, sign_in_link
from contracts.clock import Clock, SystemClock
from contracts.errors import ConfigError, TransportUnavailable
from contracts.settings import Settings

log = structlog.get_logger()

_READY_WAIT_S: Final = 60.0
_POLL_S: Final = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.description = (
        "Watch the cameras and serve the dashboard. Without any camera in the settings a demo "
        "camera is started: a synthetic yard, really encoded and decoded. A camera's URL with its "
        "password belongs in the settings file or in VIGIL_SOURCE, since command lines are public."
    )
    parser.add_argument("--only", choices=STAGES, help="run this stage alone; needs a shared Redis")
    parser.add_argument("--source", metavar="FILE|URL", help="watch this instead of the demo")
    parser.add_argument("--port", type=int, help="of the dashboard (default 8480; 0: a free one)")
    parser.add_argument("--group", type=int, metavar="N", help=argparse.SUPPRESS)
    parser.add_argument("--supervised", type=int, metavar="RESTARTS", help=argparse.SUPPRESS)


def overrides(parsed: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line gives."""
    given: dict[str, Any] = {}
    if parsed.source is not None:
        given["source"] = parsed.source
    if parsed.port is not None:
        given["api"] = {"port": parsed.port}
    return given


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run until told to stop; 0 after a clean stop."""
    stop = threading.Event()
    stop_on_signals(stop)
    if arguments.only:
        if arguments.supervised is not None:
            stop_with_parent(stop)
        return run_stage(
            make_context(settings, stage=arguments.only, group=arguments.group),
            stop,
            restarts=arguments.supervised or 0,
        )
    with held_data_dir(settings.data_dir) as data_dir:
        settings = settings.model_copy(update={"data_dir": data_dir})
        environment = dict(arguments.environment)
        if arguments.settings:
            environment[SETTINGS_FILE_VARIABLE] = str(arguments.settings.absolute())
        return _run_all(settings, environment, stop)


def run_stage(context: StageContext, stop: threading.Event, *, restarts: int) -> int:
    """Run one stage's parts on threads until told to stop; 1 if a part failed."""
    settings = context.settings
    set_up_logging(level=settings.log_level, form=settings.log_format, stage=context.stage)
    _wait_for_redis(context, stop)
    if stop.is_set():
        return 0
    wiring: Any = importlib.import_module(f"api.wiring.{context.stage}")
    parts = wiring.build(context)
    told = threading.Event()
    health = StageHealth(
        stage=context.stage,
        instance=context.instance,
        pid=int(context.instance.rsplit("-", 1)[-1]),
        reported_at=context.clock.now(),
        restarts=restarts,
    )
    heartbeat = Heartbeat(
        RedisHeartbeats(context.redis()), process=health, registry=REGISTRY, clock=context.clock
    )
    threads = [
        start_thread(name, work, told) for name, work in [*parts, ("heartbeat", heartbeat.run)]
    ]
    while not stop.is_set() and not told.is_set():
        stop.wait(_POLL_S)
    failed = told.is_set()
    told.set()
    for thread in threads:
        thread.join()
    return 1 if failed else 0


def _run_all(settings: Settings, environment: Mapping[str, str], stop: threading.Event) -> int:
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


def _wait_for_redis(context: StageContext, stop: threading.Event) -> None:
    """Wait as long as it takes: on many machines the order of starting is nobody's duty."""
    heartbeats = RedisHeartbeats(context.redis())
    said = False
    while not stop.is_set() and not heartbeats.is_queue_reachable():
        if not said:
            log.warning("Redis does not answer, waiting for it")
            said = True
        stop.wait(1.0)


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
