"""Publishes a clip as the stages do, in a process that kills itself at a step it is told."""

import multiprocessing
import os
import signal
from datetime import timedelta
from pathlib import Path

from alerts.history import incidents
from alerts.history.database import Database
from alerts.history.evidence_store import FolderEvidenceStore, PutStep
from contracts.codec import decode, encode
from contracts.incidents import ClipRequest, EvidenceReady
from contracts.queues import CLIPS, EVIDENCE
from ingest.clip_service import ClipService
from tests.fakes.clock import START, ManualClock
from tests.fakes.ports import InMemoryWorkQueue
from tests.ingest.rings import ring_of

STEPS = (*PutStep, "answered", "row_begun", "row_written", "row_durable")


def publish_in_a_process(folder: Path, video: Path, die_at: str) -> int | None:
    """Publish all of ``video`` up to a step, or to the end for ``none``; return the exit code."""
    context = multiprocessing.get_context("forkserver")  # each child begins with modules loaded
    context.set_forkserver_preload([__name__])
    child = context.Process(target=_publish, args=(folder, video, die_at))
    child.start()
    child.join(60)
    return child.exitcode


def _publish(folder: Path, video: Path, die_at: str) -> None:
    def reach(step: str) -> None:
        if step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    queue = InMemoryWorkQueue()
    request = ClipRequest(
        incident_id="ev_1",
        camera_id="gate",
        run_id="run1",
        starts_at=START,
        ends_at=START + timedelta(seconds=3.9),
    )
    queue.publish(CLIPS, item_id="cr_1", payload=encode(request))
    ring = ring_of(video)
    ClipService(
        {"gate": ring}.get,
        work_queue=queue,
        evidence_store=FolderEvidenceStore(folder / "evidence", on_step=reach),
        clock=ManualClock(),
    ).step()
    reach("answered")
    [payload] = queue.payloads(EVIDENCE)
    ready = decode(payload, EvidenceReady)
    assert ready.item.ref, ready.item.problem
    database = Database(f"sqlite:///{folder / 'vigil.db'}")
    with database.write() as connection:
        reach("row_begun")
        incidents.add_evidence(connection, ready.incident_id, ready.item)
        reach("row_written")
    reach("row_durable")
