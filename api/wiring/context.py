"""What the construction of every stage needs: settings, clock, connections, names."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TypeAlias

from api.transport.connection import RedisClient, connect
from api.transport.work_queue import RedisWorkQueue
from contracts.clock import Clock, SystemClock
from contracts.errors import ConfigError
from contracts.settings import Settings

Part: TypeAlias = tuple[str, Callable[[Event], None]]
"""A name and what to run on its own thread until the event is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageContext:
    """One stage process.

    Attributes:
        instance: Name of the process, unique among all machines; names its consumers and leases.
        redis_url: Of the Redis that the stages share. May hold a password.
        database_url: SQLAlchemy URL. May hold a password.
        group: Of the cameras that an ingest process reads; None for all.
    """

    stage: str
    settings: Settings
    clock: Clock
    instance: str
    redis_url: str
    database_url: str
    group: int | None = None

    @property
    def evidence_dir(self) -> Path:
        """Folder of the evidence store."""
        return self.settings.data_dir / "evidence"

    def redis(self) -> RedisClient:
        """Return a client of its own; a thread that blocks on one must not hold up another."""
        return connect(self.redis_url)

    def work_queue(self, part: str) -> RedisWorkQueue:
        """Return the work queue as seen by one part of the stage."""
        return RedisWorkQueue(self.redis(), consumer=f"{self.instance}-{part}", clock=self.clock)


def make_context(
    settings: Settings, *, stage: str, clock: Clock | None = None, group: int | None = None
) -> StageContext:
    """Return the context of a stage process.

    Raises:
        ConfigError: There is no Redis to share.
    """
    redis_url = settings.redis_url.get_secret_value()
    if not redis_url:
        raise ConfigError(
            f"--only {stage}: stages that run apart share one Redis; set VIGIL_REDIS_URL, "
            "for instance redis://127.0.0.1:6379/0 (vigil run without --only brings its own)"
        )
    return StageContext(
        stage=stage,
        settings=settings,
        clock=clock or SystemClock(),
        instance=f"{stage}-{socket.gethostname()}-{os.getpid()}",
        redis_url=redis_url,
        database_url=database_url(settings),
        group=group,
    )


def database_url(settings: Settings) -> str:
    """Return the SQLAlchemy URL: the setting, or SQLite in the data folder."""
    given = settings.database_url.get_secret_value()
    return given or f"sqlite:///{settings.data_dir.absolute() / 'vigil.db'}"
