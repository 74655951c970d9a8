import threading
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from contracts.cameras import Camera, RtspTransport
from contracts.clock import SystemClock
from contracts.settings import IngestSettings, QueueSettings
from ingest.camera import CameraIngest
from ingest.clips import make_clip
from ingest.local_queue import LocalFrameQueue
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START, ManualClock
from tests.ingest.loop_bench import LoopBench
from tests.ingest.recordings import Shot, file_camera, rtsp_camera, write
from tests.quirkcam import QuirkCam, Quirks

SECRET = "hunter2"  # noqa: S105  # a test's
IMPATIENT = IngestSettings(
    open_timeout_s=2.0, read_timeout_s=0.5, stall_after_s=0.5, back_off_max_s=0.2
)


class StoppingClock(ManualClock):
    """Tells the loop to stop once it has slept so long."""

    def __init__(self, after_s: float) -> None:
        super().__init__()
        self.stop = threading.Event()
        self._after_s = after_s

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if sum(self.slept_s) >= self._after_s:
            self.stop.set()


def recorded(camera: Camera, clock: ManualClock | None = None) -> LoopBench:
    bench = LoopBench(camera, clock or ManualClock(), IngestSettings())
    if isinstance(clock, StoppingClock):
        bench.stop = clock.stop
    return bench


def live(server_url: str, *, transport: RtspTransport = RtspTransport.TCP) -> LoopBench:
    bench = LoopBench(rtsp_camera(server_url, transport=transport), SystemClock(), IMPATIENT)
    bench.thread.start()
    return bench


def test_a_recording_is_queued_sampled_and_accounted_for() -> None:
    bench = recorded(file_camera(walker_path()))

    bench.run()

    account = bench.queue.account("gate")
    assert (account.received, account.queued) == (20, 20)
    assert account.skipped == WalkerClip().frames - 20
    assert bench.phases == ["connecting", "live", "ended"]
    assert bench.ingest.has_ended


def test_a_paced_recording_takes_its_own_time() -> None:
    clock = ManualClock()
    bench = recorded(file_camera(walker_path(), is_paced=True), clock)

    bench.run()

    assert sum(clock.slept_s) == pytest.approx(3.9, abs=0.01)
    frames = [queued.frame.header for queued in bench.queue.take(["gate"], timeout_s=0.0)]
    assert frames[-1].captured_at - START == timedelta(seconds=3.8)


def test_a_looped_recording_begins_again_as_a_new_run() -> None:
    clock = StoppingClock(after_s=9.0)
    bench = recorded(file_camera(walker_path(), is_paced=True, is_looped=True), clock)

    bench.run()

    assert len(bench.runs) == 3
    assert not bench.ingest.has_ended


def test_a_folder_is_read_file_after_file_as_runs_of_one_camera(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.mp4", "c.txt"):
        (tmp_path / name).write_bytes(walker_path().read_bytes())
    bench = recorded(file_camera(tmp_path))

    bench.run()

    assert len(bench.runs) == 2
    assert bench.queue.account("gate").received == 40
    assert bench.ingest.has_ended


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    bench = recorded(file_camera(tmp_path), StoppingClock(after_s=20.0))

    bench.run()

    assert "the folder holds no recording" in bench.directory.statuses[-1].cause


def test_a_looped_recording_that_cannot_be_decoded_is_not_tried_without_rest(
    tmp_path: Path,
) -> None:
    content = bytearray(walker_path(suffix=".mp4").read_bytes())
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    (tmp_path / "blank.mp4").write_bytes(content)
    clock = StoppingClock(after_s=100.0)
    bench = recorded(file_camera(tmp_path / "blank.mp4", is_looped=True), clock)

    bench.run()

    assert bench.phases.count("connecting") <= 5
    assert "not one picture could be decoded" in bench.directory.statuses[-1].cause


def test_a_missing_file_is_told_and_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "later.mp4"
    clock = StoppingClock(after_s=20.0)
    bench = recorded(file_camera(path), clock)
    bench.run()
    assert "later.mp4 is not there; check the path" in bench.directory.statuses[-1].cause

    path.write_bytes(walker_path().read_bytes())
    bench.stop.clear()
    bench.run()

    assert bench.queue.account("gate").received == 20


def test_what_was_read_can_be_cut_into_a_clip() -> None:
    bench = recorded(file_camera(walker_path()))
    bench.run()

    footage = bench.ring.cover(
        bench.runs[0], START + timedelta(seconds=1.2), START + timedelta(seconds=2)
    )

    assert footage.starts_at == START + timedelta(seconds=1)
    assert len(footage.packets) == 11


def test_a_change_of_size_is_followed(tmp_path: Path) -> None:
    path = write(tmp_path / "two.h264", Shot(width=320, height=240), Shot(width=640, height=360))
    bench = recorded(file_camera(path, analysis_fps=30))

    bench.run()

    assert bench.directory.statuses[-1].width == 640


class BrokenQueue(LocalFrameQueue):
    """Fails as no queue may, once."""

    has_failed = False

    def put(self, frame: object) -> None:
        if not self.has_failed:
            self.has_failed = True
            raise ZeroDivisionError(f"rtsp://admin:{SECRET}@camera")
        super().put(frame)  # type: ignore[arg-type]  # whatever it was


def test_a_fault_in_our_own_code_is_told_without_its_text_and_the_loop_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = ManualClock()
    bench = recorded(file_camera(walker_path()), clock)
    bench.queue = BrokenQueue(QueueSettings(frames_per_camera=1000))
    bench.ingest = CameraIngest(
        file_camera(walker_path()),
        writer=bench.queue,
        ring=bench.ring,
        status=bench.status,
        settings=IngestSettings(),
        clock=clock,
    )

    bench.run()

    assert bench.queue.account("gate").received == 20
    assert any("internal error (ZeroDivisionError)" in s.cause for s in bench.directory.statuses)
    printed = capsys.readouterr()
    assert "camera loop failed unexpectedly" in printed.out
    assert SECRET not in printed.out + printed.err


@pytest.mark.parametrize("transport", list(RtspTransport))
def test_a_live_camera_is_seen(transport: RtspTransport) -> None:
    with QuirkCam(walker_path(), speed=2) as server:
        bench = live(server.url, transport=transport)
        bench.until(lambda: bench.queue.account("gate").received >= 5)
        bench.end()

    status = bench.directory.statuses[-1]
    assert (status.phase, status.codec, status.width) == ("live", "h264", 320)


def test_a_live_camera_gives_clips_from_its_first_picture_on() -> None:
    with QuirkCam(walker_path(), speed=2) as server:
        bench = live(server.url)
        bench.until(lambda: bench.queue.account("gate").received >= 8)
        bench.end()
    taken = [queued.frame.header for queued in bench.queue.take(["gate"], timeout_s=0.0)]

    footage = bench.ring.cover(
        taken[0].run_id, taken[0].captured_at - timedelta(seconds=9), taken[-1].captured_at
    )

    with av.open(BytesIO(make_clip(footage)), "r") as container:
        pictures = list(container.decode(video=0))
    first = pictures[0].to_ndarray(format="bgr24").astype(float)
    assert np.abs(first - WalkerClip().picture(0)).mean() < 6
    assert len(pictures) >= 15


def test_a_camera_that_comes_back_is_read_again_as_a_new_run() -> None:
    with QuirkCam(walker_path(), speed=2) as server:
        bench = live(server.url)
        bench.until(lambda: bench.phases[-1:] == ["live"])
        server.refuse_connections()
        server.drop_connections()
        bench.until(lambda: "back_off" in bench.phases)
        server.accept_connections()
        bench.until(lambda: bench.phases[-1] == "live")
        bench.end()

    assert len(bench.runs) == 2
    assert bench.directory.statuses[-1].reconnects >= 1


def test_a_camera_that_falls_silent_is_stalled_while_the_read_still_waits() -> None:
    settings = IngestSettings(open_timeout_s=2.0, read_timeout_s=1.5, stall_after_s=0.5)
    with QuirkCam(walker_path(), quirks=Quirks(stall_after_s=1.5)) as server:
        bench = LoopBench(rtsp_camera(server.url), SystemClock(), settings)
        bench.thread.start()
        bench.until(lambda: bench.phases[-1:] == ["live"])
        bench.until(lambda: bench.published().phase == "stalled")
        bench.end()

    assert any("no frame for" in status.cause for status in bench.directory.statuses)


def test_silence_ends_the_run_after_one_time_out_not_two() -> None:
    """libav gives out the picture that it held back when its deadline passes, then waits again."""
    with QuirkCam(walker_path(), quirks=Quirks(stall_after_s=1.5)) as server:
        settings = IngestSettings(open_timeout_s=2.0, read_timeout_s=1.0, stall_after_s=60.0)
        bench = LoopBench(rtsp_camera(server.url), SystemClock(), settings)
        bench.thread.start()
        bench.until(lambda: "back_off" in bench.phases)
        bench.end()

    pictures = bench.queue.account("gate")
    assert pictures.received + pictures.skipped == 14
    assert "no data within the time-out" in bench.directory.statuses[-1].cause


def test_refused_credentials_are_told_and_tried_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with QuirkCam(walker_path(), user="admin", password=SECRET[::-1]) as server:
        url = server.bare_url.replace("rtsp://", f"rtsp://admin:{SECRET}@")
        bench = live(url)
        bench.until(lambda: bench.phases[-1:] == ["failed_auth"])
        connections = server.connections_total
        threading.Event().wait(0.5)
        assert server.connections_total == connections
        bench.end()

    cause = bench.directory.statuses[-1].cause
    assert "refused the credentials (401)" in cause
    printed = capsys.readouterr()
    assert SECRET not in cause + printed.out + printed.err
    assert "admin" not in cause + printed.out + printed.err


def test_stopping_does_not_wait_for_a_back_off() -> None:
    bench = LoopBench(rtsp_camera("rtsp://127.0.0.1:1/live"), SystemClock(), IngestSettings())
    bench.thread.start()
    bench.until(lambda: bench.phases[-1:] == ["back_off"])

    bench.end()
