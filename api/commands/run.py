"""``vigil run``: watch the cameras, all stages under one supervisor or one stage alone."""

import argparse
import importlib
import threading
from typing import Any, Final

import structlog
from prometheus_client import REGISTRY

from api.data_dir import held_data_dir
from api.observability import Heartbeat, set_up_logging, start_thread
from api.ports import StageHealth
from api.settings_file import SETTINGS_FILE_VARIABLE
from api.supervisor import STAGES, stop_on_signals, stop_with_parent
from api.transport.heartbeats import RedisHeartbeats
from api.wiring.context import StageContext, make_context
from contracts.settings import Settings

log = structlog.get_logger()

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
        everything: Any = importlib.import_module("api.everything")
        return int(everything.run_all(settings, environment, stop))


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


def _wait_for_redis(context: StageContext, stop: threading.Event) -> None:
    """Wait as long as it takes: on many machines the order of starting is nobody's duty."""
    heartbeats = RedisHeartbeats(context.redis())
    said = False
    while not stop.is_set() and not heartbeats.is_queue_reachable():
        if not said:
            log.warning("Redis does not answer, waiting for it")
            said = True
        stop.wait(1.0)
