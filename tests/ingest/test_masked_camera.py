"""A running camera whose privacy masks are edited: frames, live view, clips, and no new run."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.cameras import Camera
from contracts.clock import SystemClock
from contracts.geometry import Zone
from contracts.settings import IngestSettings
from ingest.clips import make_clip
from ingest.recording import read_recording
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START
from tests.fakes.masked import LEFT, is_covered
from tests.ingest.loop_bench import LoopBench
from tests.ingest.recordings import file_camera
from tests.ingest.test_masked_clips import is_grey, pictures_of
from tests.ingest.test_supervisor import Bench as SupervisorBench

LONG = WalkerClip(duration_s=60.0, leave_s=59.0)
"""Longer than any test, so that it does not begin again as a new run."""


def looping(*masks: Zone) -> Camera:
    camera = file_camera(walker_path(LONG), is_paced=True, is_looped=True, analysis_fps=30.0)
    return replace(camera, masks=masks)


@pytest.fixture
def running() -> Iterator[LoopBench]:
    bench = LoopBench(looping(), SystemClock(), IngestSettings())
    bench.thread.start()
    bench.until(lambda: bench.queue.account("gate").received >= 3)
    yield bench
    bench.end()


def frames(bench: LoopBench) -> list[tuple[str, bytes]]:
    """Run and JPEG of each frame that was queued since the last time."""
    taken = bench.queue.take(["gate"], timeout_s=0.0)
    return [(queued.frame.header.run_id, queued.frame.jpeg) for queued in taken]


def test_an_edit_covers_the_running_stream_without_connecting_anew(running: LoopBench) -> None:
    before = frames(running)
    assert not any(is_covered(jpeg) for _, jpeg in before)

    running.ingest.mask((LEFT,))
    received = running.queue.account("gate").received
    running.until(lambda: running.queue.account("gate").received >= received + 8)
    after = frames(running)

    covered = [is_covered(jpeg) for _, jpeg in after]
    assert covered.index(True) <= 2, "what was on its way, and the picture in hand"
    assert all(covered[covered.index(True) :])
    [run_before] = {run_id for run_id, _ in before}
    is_new_run = [run_id != run_before for run_id, _ in after]
    assert is_new_run == covered, "what is analysed begins anew with the first covered picture"
    assert running.phases == ["connecting", "live"]


def test_lifting_shows_again_what_comes(running: LoopBench) -> None:
    running.ingest.mask((LEFT,))
    running.ingest.mask(())
    frames(running)
    received = running.queue.account("gate").received
    running.until(lambda: running.queue.account("gate").received >= received + 4)

    assert not is_covered(frames(running)[-1][1])


def test_a_camera_with_masks_shows_nothing_from_its_first_picture_on() -> None:
    camera = replace(file_camera(walker_path()), masks=(LEFT,))
    bench = LoopBench(camera, SystemClock(), IngestSettings())
    bench.run()

    shown = frames(bench)
    assert len(shown) == 20
    assert all(is_covered(jpeg) for _, jpeg in shown)
    footage = bench.ring.cover(shown[0][0], START - timedelta(days=9999), SystemClock().now())
    assert all(is_grey(picture, LEFT) for picture in pictures_of(make_clip(footage)))


def test_a_recording_that_is_analysed_is_covered_as_well() -> None:
    camera = replace(file_camera(walker_path()), masks=(LEFT,))
    with read_recording(camera, IngestSettings(), starts_at=START) as recording:
        shown = [frame.jpeg for frame in recording]

    assert len(shown) == 20
    assert all(is_covered(jpeg) for jpeg in shown)


def last_is_covered(bench: SupervisorBench) -> bool:
    taken = bench.queue.take(["gate"], timeout_s=0.0)
    return bool(taken) and is_covered(taken[-1].frame.jpeg)


@pytest.fixture
def supervised() -> Iterator[SupervisorBench]:
    bench = SupervisorBench()
    bench.directory.listed = [looping()]
    bench.run()
    bench.until(lambda: bench.received() >= 3, steps=False)
    yield bench
    bench.end()


def test_the_supervisor_hands_edits_on_to_the_stream_that_runs(
    supervised: SupervisorBench,
) -> None:
    supervised.directory.listed = [replace(looping(LEFT), version=2)]
    supervised.until(lambda: last_is_covered(supervised), steps=False)

    assert (supervised.status().phase, supervised.status().reconnects) == ("live", 0)


def test_a_loop_that_is_started_again_keeps_the_masks(
    supervised: SupervisorBench, tmp_path: Path
) -> None:
    run_id = supervised.status().run_id
    (tmp_path / "other.mp4").write_bytes(Path(looping().source.url).read_bytes())
    other = replace(looping().source, url=str(tmp_path / "other.mp4"))

    supervised.directory.listed = [replace(looping(LEFT), source=other, version=2)]
    supervised.until(lambda: supervised.status().run_id not in ("", run_id), steps=False)
    supervised.queue.take(["gate"], timeout_s=0.0)

    supervised.until(lambda: last_is_covered(supervised), steps=False)
