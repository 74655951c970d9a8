"""The vision stage: frames in, incidents out."""

from zoneinfo import ZoneInfo

import cv2

from api.transport.checkpoints import RedisCheckpoints
from api.transport.directory import RedisCameraDirectory
from api.transport.leases import RedisLeases
from api.transport.live import RedisLiveView
from api.wiring.context import Part, StageContext
from api.wiring.storage import evidence_store
from ingest.frame_queue import RedisFrameQueue
from vision.detect.registry import open_detector
from vision.sequence_worker import SequencePorts, SequenceWorker
from vision.worker import VisionWorker, WorkerPorts


def build(context: StageContext) -> list[Part]:
    """Return the stage's parts."""
    settings = context.settings
    cv2.setNumThreads(settings.vision.threads)
    client = context.redis()
    ports = WorkerPorts(
        directory=RedisCameraDirectory(client),
        leases=RedisLeases(client, holder=context.instance, lease_s=settings.queue.lease_s),
        reader=RedisFrameQueue(context.redis_url, settings=settings.queue, clock=context.clock),
        work_queue=context.work_queue("incidents"),
        live=RedisLiveView(client),
        checkpoints=RedisCheckpoints(client),
        evidence=evidence_store(settings),
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
    return [("vision", worker.run), ("sequences", sequences.run)]
