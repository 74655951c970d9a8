"""Records a clip in a process that kills itself at a step it is told."""

import multiprocessing
import os
import signal
from pathlib import Path

from ingest.recorder.camera_recorder import CameraRecorder
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.open_part import PartStep
from ingest.recorder.retention import Limits
from tests.fakes.clock import ManualClock
from tests.ingest.rings import ring_of


def record_in_a_process(root: Path, video: Path, die_at: str, times: int = 1) -> int | None:
    """Record all of ``video`` up to the n-th time of a step; return the exit code."""
    context = multiprocessing.get_context("forkserver")  # each child begins with modules loaded
    context.set_forkserver_preload([__name__])
    child = context.Process(target=_record, args=(root, video, die_at, times))
    child.start()
    child.join(60)
    return child.exitcode


def _record(root: Path, video: Path, die_at: str, times: int) -> None:
    left = times

    def reach(step: PartStep) -> None:
        nonlocal left
        left -= step == die_at
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    clock = ManualClock()
    folder = RecordingFolder(root, clock=clock, limits=Limits(days=7.0), on_step=reach)
    recorder = CameraRecorder("gate", ring=ring_of(video), folder=folder, clock=clock)
    recorder.step()
    recorder.close()
