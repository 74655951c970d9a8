"""The ingest stage: cameras in, frames and clips out."""

from api.transport.directory import RedisCameraDirectory
from api.transport.journal import RedisJournal
from api.transport.leases import RedisLeases
from api.transport.own_events import RedisOwnEvents
from api.transport.signals import RedisSignalInbox
from api.wiring.context import Part, StageContext
from api.wiring.storage import evidence_store, recording_folder
from ingest.frame_queue import RedisFrameQueue
from ingest.memory import limit_process, watch_memory
from ingest.recorder.recorders import Recorders
from ingest.shared_pixels import pixel_sender
from ingest.supervisor import IngestSupervisor
from ingest.webrtc.gateway import MediaGateway


def build(context: StageContext) -> list[Part]:
    """Return the stage's parts."""
    settings = context.settings
    client = context.redis()
    recorders = Recorders(recording_folder(settings, context.clock), clock=context.clock)
    supervisor = IngestSupervisor(
        directory=RedisCameraDirectory(client, group=context.group),
        leases=RedisLeases(client, holder=context.instance, lease_s=settings.queue.lease_s),
        writer=RedisFrameQueue(
            context.redis_url,
            settings=settings.queue,
            clock=context.clock,
            jpeg_quality=settings.ingest.jpeg_quality,
            sender=pixel_sender(settings.queue, context.clock),
        ),
        work_queue=context.work_queue("clips"),
        evidence_store=evidence_store(settings),
        settings=settings.ingest,
        recorders=recorders,
        tell=RedisJournal(context.redis()).add,
        hear=RedisOwnEvents(context.redis()).add,
        clock=context.clock,
    )
    limit_bytes = settings.ingest.memory_limit_mb * 1_000_000
    limit_process(limit_bytes)
    gateway = MediaGateway(
        RedisSignalInbox(context.redis(), holder=context.instance),
        supervisor.live,
        settings=settings.webrtc,
        clock=context.clock,
    )
    return [
        ("ingest", supervisor.run),
        ("webrtc", gateway.run),
        ("recordings", recorders.tidy),
        ("memory", lambda stop: watch_memory(stop, limit_bytes=limit_bytes)),
    ]
