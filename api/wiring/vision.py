"""The vision stage: frames in, incidents out."""

from zoneinfo import ZoneInfo

import cv2

from api.transport.checkpoints import RedisCheckpoints
from api.transport.directory import RedisCameraDirectory
from api.transport.journal import RedisJournal
from api.transport.leases import RedisLeases
from api.transport.live import RedisLiveView
from api.wiring.context import Part, StageContext
from api.wiring.storage import evidence_store, track_store
from ingest.frame_queue import RedisFrameQueue
from ingest.shared_pixels import pixel_receiver
from vision.archive.port import NoArchive
from vision.archive.writer import TrackWriter
from vision.detect.registry import open_detector
from vision.sequence_worker import SequencePorts, SequenceWorker
from vision.worker import VisionWorker, WorkerPorts


def build(context: StageContext) -> list[Part]:
    """Return the stage's parts."""
    settings = context.settings
    cv2.setNumThreads(settings.vision.threads)
    client = context.redis()
    writer = _track_writer(context)
    ports = WorkerPorts(
        directory=RedisCameraDirectory(client),
        leases=RedisLeases(client, holder=context.instance, lease_s=settings.queue.lease_s),
        reader=RedisFrameQueue(
            context.redis_url,
            settings=settings.queue,
            clock=context.clock,
            receiver=pixel_receiver(settings.queue, context.clock),
        ),
        work_queue=context.work_queue("incidents"),
        live=RedisLiveView(client, clock=context.clock),
        checkpoints=RedisCheckpoints(client),
        evidence=evidence_store(settings),
        tracks=writer or NoArchive(),
        tell=RedisJournal(context.redis()).add,
    )
    worker = VisionWorker(
        ports,
        open_detector(settings),
        settings=settings.vision,
        queue=settings.queue,
        clock=context.clock,
        time_zone=ZoneInfo(settings.time_zone),
    )
    sequences = SequenceWorker(
        SequencePorts(
            directory=ports.directory,
            leases=ports.leases,
            work_queue=context.work_queue("sequences"),
            checkpoints=ports.checkpoints,
        ),
        vision=settings.vision,
        queue=settings.queue,
        clock=context.clock,
        time_zone=ZoneInfo(settings.time_zone),
    )
    parts: list[Part] = [("vision", worker.run), ("sequences", sequences.run)]
    return parts if writer is None else [*parts, ("tracks", writer.run)]


def _track_writer(context: StageContext) -> TrackWriter | None:
    """Return what keeps tracks for back-tests; None where none are to be kept."""
    if not context.settings.vision.track_days:
        return None
    return TrackWriter(track_store(context.settings, context.clock), context.clock)
