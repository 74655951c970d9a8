"""Frames through a real Redis: by shared memory where both ends see the same, else as JPEG."""

import mmap
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from contracts.frames import BgrImage, Frame, FrameOutcome, QueuedFrame
from contracts.settings import QueueSettings
from ingest.frame_queue import RedisFrameQueue
from ingest.planar_frame import PlanarFrame, planes_of
from ingest.shared_folder import SharedFolder
from ingest.shared_pixels import PixelReceiver, PixelSender, pixel_receiver, pixel_sender
from tests.fakes.builders import header
from tests.fakes.clock import ManualClock

LIMIT = 4
SETTINGS = QueueSettings(frames_per_camera=LIMIT)
WIDTH, HEIGHT = 64, 36


def frame(seq: int, *, camera_id: str = "gate", height: int = HEIGHT) -> Frame:
    level = 20 * (seq % 10) + 20
    pixels_HW3 = np.full((height, WIDTH, 3), level, np.uint8)
    known = header(seq, camera_id=camera_id, size=(WIDTH, height))
    return Frame(header=known, pixels_HW3=pixels_HW3)


class Bench:
    """A writer and readers that see folders of a test's choice, and the clock of both."""

    def __init__(self, url: str, folder: Path, *, limit_bytes: int = 10_000_000) -> None:
        self.url = url
        self.folder = SharedFolder(folder, limit_bytes=limit_bytes)
        self.clock = ManualClock()
        self.queues: list[RedisFrameQueue] = []
        sender = PixelSender(self.folder, slots=LIMIT + 2, clock=self.clock)
        self.writer = self._queue(sender=sender)
        self.reader = self.new_reader()

    def new_reader(self, folder: Path | None = None, *, is_able: bool = True) -> RedisFrameQueue:
        seen = self.folder if folder is None else SharedFolder(folder, limit_bytes=1)
        return self._queue(receiver=PixelReceiver(seen, clock=self.clock) if is_able else None)

    def _queue(
        self, *, sender: PixelSender | None = None, receiver: PixelReceiver | None = None
    ) -> RedisFrameQueue:
        made = RedisFrameQueue(
            self.url, settings=SETTINGS, clock=self.clock, sender=sender, receiver=receiver
        )
        self.queues.append(made)
        return made

    def take(self) -> list[QueuedFrame]:
        return self.reader.take(["gate"], timeout_s=0.02)

    def carry(self, sent: Frame | PlanarFrame) -> QueuedFrame:
        self.writer.put(sent)
        [queued] = self.take()
        self.reader.settle(queued, FrameOutcome.ANALYSED)
        return queued

    def meet(self) -> None:
        """Let the writer hear of its reader."""
        self.take()
        self.carry(frame(0))

    @property
    def carrier(self) -> str:
        return self.writer.account("gate").carrier

    def rings(self) -> list[str]:
        return sorted(path.name for path in self.folder.path.glob("*.ring"))


@pytest.fixture
def bench(redis_url: str, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(redis_url, tmp_path)
    yield made
    for queue in made.queues:
        queue.close()


def pixels(queued: QueuedFrame) -> BgrImage | None:
    assert queued.frame.shared is not None
    return queued.frame.shared.copy()


def level(queued: QueuedFrame) -> int:
    found = pixels(queued)
    assert found is not None
    assert found.shape == (queued.frame.header.height, queued.frame.header.width, 3)
    assert found.min() == found.max()
    return int(found[0, 0, 0])


def test_the_first_frame_goes_as_jpeg_and_then_pixels_are_shared(bench: Bench) -> None:
    bench.take()
    first = bench.carry(frame(0))
    second = bench.carry(frame(1))

    assert first.frame.jpeg.startswith(b"\xff\xd8")
    assert first.frame.shared is None
    assert second.frame.jpeg == b""
    assert level(second) == 40
    assert bench.carrier == "memory"


def test_nothing_but_a_reference_goes_through_redis(bench: Bench) -> None:
    bench.meet()
    bench.writer.put(frame(1))

    [(_, fields)] = bench.writer._client.xrange("vigil:{gate}:frames")

    assert set(fields) == {b"header", b"memory"}
    assert len(fields[b"memory"]) < 100


def test_without_a_reader_frames_go_as_jpeg(bench: Bench) -> None:
    for seq in range(3):
        bench.writer.put(frame(seq))

    assert bench.carrier == "jpeg"
    assert all(queued.frame.jpeg for queued in bench.take())
    assert bench.rings() == []


def test_a_reader_that_sees_other_memory_gets_jpeg(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "other-host").mkdir()
    bench.reader = bench.new_reader(tmp_path / "other-host")
    bench.meet()

    queued = bench.carry(frame(1))

    assert cv2.imdecode(np.frombuffer(queued.frame.jpeg, np.uint8), cv2.IMREAD_COLOR) is not None
    assert bench.carrier == "jpeg"


def test_a_reader_that_shares_nothing_gets_jpeg(bench: Bench) -> None:
    bench.reader = bench.new_reader(is_able=False)
    bench.meet()

    assert bench.carry(frame(1)).frame.jpeg
    assert bench.carrier == "jpeg"


def test_when_vision_moves_to_another_host_frames_follow_as_jpeg_and_back(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "other-host").mkdir()
    near, far = bench.reader, bench.new_reader(tmp_path / "other-host")
    bench.meet()
    assert bench.carry(frame(1)).frame.shared is not None

    bench.reader = far
    bench.clock.advance(3.0)
    bench.meet()
    assert bench.carry(frame(2)).frame.jpeg

    bench.reader = near
    bench.clock.advance(3.0)
    bench.meet()
    assert level(bench.carry(frame(3))) == 80
    assert bench.writer.account("gate").is_balanced


def test_a_frame_that_was_pushed_out_while_in_hands_is_gone_and_counted_once(bench: Bench) -> None:
    bench.meet()
    bench.writer.put(frame(1))
    [slow] = bench.take()
    for seq in range(2, 2 + LIMIT + 2):
        bench.writer.put(frame(seq))

    assert pixels(slow) is None
    assert not bench.reader.settle(slow, FrameOutcome.OVERTAKEN)
    account = bench.writer.account("gate")
    assert account.outcomes == {"analysed": 1, "queue_full": 3}
    assert account.is_balanced


def test_whatever_waits_in_the_queue_can_be_read(bench: Bench) -> None:
    bench.meet()
    for seq in range(1, 30):
        bench.writer.put(frame(seq))

    assert [level(queued) for queued in bench.take()] == [
        20 * (seq % 10) + 20 for seq in range(26, 30)
    ]


def test_a_killed_reader_s_successor_reads_what_it_had_in_hands(bench: Bench) -> None:
    bench.meet()
    bench.writer.put(frame(1))
    assert len(bench.take()) == 1

    bench.reader = bench.new_reader()

    assert [level(queued) for queued in bench.take()] == [40]


def test_larger_pictures_get_a_larger_ring_and_what_waits_is_still_read(bench: Bench) -> None:
    bench.meet()
    bench.carry(frame(1))
    [small] = bench.rings()
    bench.writer.put(frame(2))
    waiting = bench.take()
    bench.writer.put(frame(3, height=2 * HEIGHT))
    waiting += bench.take()
    bench.writer.put(frame(4))
    waiting += bench.take()

    assert [level(queued) for queued in waiting] == [60, 80, 100]
    [large] = bench.rings()
    assert large != small


def test_where_there_is_no_room_frames_go_as_jpeg(redis_url: str, tmp_path: Path) -> None:
    bench = Bench(redis_url, tmp_path, limit_bytes=10_000)
    bench.meet()

    assert bench.carry(frame(1)).frame.jpeg
    assert bench.rings() == []

    bench.folder = SharedFolder(tmp_path, limit_bytes=10_000)
    bench.writer.close()


def test_a_ring_that_somebody_removed_is_missed_and_made_anew(bench: Bench) -> None:
    bench.meet()
    bench.carry(frame(1))
    for name in bench.rings():
        (bench.folder.path / name).unlink()
    bench.reader = bench.new_reader()
    bench.clock.advance(3.0)

    bench.writer.put(frame(2))
    [lost] = bench.take()
    assert pixels(lost) is None
    assert bench.reader.settle(lost, FrameOutcome.OVERTAKEN)

    bench.meet()
    assert bench.carry(frame(3)).frame.jpeg, "it asks for JPEG meanwhile"
    bench.clock.advance(11.0)
    bench.meet()
    assert level(bench.carry(frame(4))) == 100
    assert bench.writer.account("gate").outcomes["overtaken"] == 1
    assert bench.writer.account("gate").is_balanced


def test_what_is_no_reference_is_a_frame_that_is_gone(bench: Bench) -> None:
    bench.meet()
    known = b'{"camera_id":"gate","run_id":"r","seq":1,"captured_at":"2026-03-01T12:00:00Z"'
    known += b',"monotonic_s":1.0,"width":64,"height":36}'
    for content in (b"", b"{}", b'{"ring":"../../etc/passwd","number":1}', b"\xff"):
        fields = {"header": known, "memory": content}
        bench.writer._client.xadd("vigil:{gate}:frames", fields)

    assert [pixels(queued) for queued in bench.take()] == [None] * 4


def test_a_camera_that_is_let_go_frees_its_memory(bench: Bench) -> None:
    bench.meet()
    bench.carry(frame(1))
    assert len(bench.rings()) == 1

    bench.writer.let_go("gate")

    assert bench.rings() == []
    bench.meet()
    assert level(bench.carry(frame(2))) == 60


def planar(seq: int) -> PlanarFrame:
    """A picture whose left is red and whose right is blue, as a decoder leaves it in its memory."""
    pixels_HW3 = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels_HW3[:, : WIDTH // 2], pixels_HW3[:, WIDTH // 2 :] = (30, 40, 200), (190, 60, 50)
    picture = av.VideoFrame.from_ndarray(pixels_HW3, format="bgr24").reformat(format="yuv420p")
    planes = planes_of(picture)
    assert planes is not None
    return PlanarFrame(header=header(seq, camera_id="gate", size=(WIDTH, HEIGHT)), planes=planes)


def colours(pixels_HW3: BgrImage) -> list[list[int]]:
    assert pixels_HW3.shape == (HEIGHT, WIDTH, 3)
    return [pixels_HW3[10, column].tolist() for column in (8, WIDTH - 8)]


def test_pictures_go_as_they_are_decoded_and_show_the_same_either_way(bench: Bench) -> None:
    bench.take()
    as_jpeg = bench.carry(planar(0)).frame.jpeg
    shared = pixels(bench.carry(planar(1)))

    whole = cv2.imdecode(np.frombuffer(as_jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert whole is not None
    assert shared is not None
    for found in (np.asarray(whole, np.uint8), shared):
        for one, wanted in zip(colours(found), [(30, 40, 200), (190, 60, 50)], strict=True):
            assert np.abs(np.subtract(one, wanted)).max() <= 6
    [name] = bench.rings()
    slots = (bench.folder.path / name).stat().st_size - mmap.PAGESIZE
    assert slots == (LIMIT + 2) * WIDTH * HEIGHT * 3 // 2, "half of what BGR takes"


def test_a_picture_of_another_form_follows_in_the_same_camera(bench: Bench) -> None:
    bench.meet()
    bench.carry(planar(1))
    assert level(bench.carry(frame(2))) == 60
    assert pixels(bench.carry(planar(3))) is not None


@pytest.mark.parametrize(
    ("form", "colours", "size"),
    [
        ("yuvj420p", 2, (64, 36)),
        ("yuv422p", 2, (64, 36)),
        ("yuv420p", 1, (64, 36)),
        ("yuv420p", 2, (63, 36)),
        ("gray", 2, (64, 36)),
    ],
)
def test_pictures_of_other_forms_and_colours_have_no_planes(
    form: str, colours: int, size: tuple[int, int]
) -> None:
    picture = av.VideoFrame(*size, form)
    picture.colorspace = colours

    assert planes_of(picture) is None


def test_cameras_have_rings_of_their_own(bench: Bench) -> None:
    for camera_id in ("gate", "yard"):
        bench.reader.take([camera_id], timeout_s=0.01)
        for seq in range(2):
            bench.writer.put(frame(seq, camera_id=camera_id))

    assert [name.split("-")[0] for name in bench.rings()] == ["gate", "yard"]


def test_by_a_setting_of_0_nothing_is_shared() -> None:
    off = QueueSettings(shared_memory_mb=0)

    assert pixel_sender(off, ManualClock()) is None
    assert pixel_receiver(off, ManualClock()) is None
