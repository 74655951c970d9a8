"""Whether everything that an alert needs on its way is there."""

from collections.abc import Sequence
from typing import Final

from api.schemas import Part
from api.services import Services
from contracts.errors import TransportUnavailable

STAGES: Final = ("ingest", "vision", "moe_core", "alerts")


def parts_of(services: Services) -> list[Part]:
    """Return database, queue and each stage, with what is wrong with it in words."""
    has_queue = services.health.is_queue_reachable()
    queue = Part(name="queue", ok=has_queue, detail="" if has_queue else "Redis cannot be reached")
    return [_database(services), queue, *_stages(services, has_queue=has_queue)]


def is_ready(parts: Sequence[Part]) -> bool:
    """Say whether no part is missing."""
    return all(part.ok for part in parts)


def _database(services: Services) -> Part:
    try:
        services.archive.last_feed_seq()
    except TransportUnavailable:
        return Part(name="database", ok=False, detail="the database cannot be reached")
    return Part(name="database", ok=True, detail="")


def _stages(services: Services, *, has_queue: bool) -> list[Part]:
    if not has_queue:
        return [Part(name=stage, ok=False, detail="unknown without the queue") for stage in STAGES]
    there = {health.stage for health in services.health.stages()}
    return [
        Part(
            name=stage,
            ok=stage in there,
            detail="" if stage in there else "has not reported within the last seconds",
        )
        for stage in STAGES
    ]
