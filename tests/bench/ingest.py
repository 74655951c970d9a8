"""What a camera's loop adds to decoding: bring pictures to size, encode and queue what is analysed.

Ours is the loop of a camera as ``vigil run`` has it, on a recording read as fast as it can be: the
clip ring, the live feed, status and account included, with a real Redis. The limit is ``ffmpeg
-threads 1`` decoding the same file to nothing, or, where that command is not there, a bare loop of
PyAV with one thread. Both are run in turn in each round; ratios are medians over the rounds of the
ratio within a round. Processor time is of the process alone, not of Redis: on a machine that does
other things too, it says more than the clock on the wall.
"""

import resource
import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import av
import redis
from av.packet import Packet
from av.video.stream import VideoStream

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.settings import IngestSettings, QueueSettings
from ingest.camera import CameraIngest
from ingest.clip_ring import ClipRing
from ingest.frame_queue import RedisFrameQueue
from ingest.shared_pixels import pixel_sender, shared_folder
from ingest.status import StatusKeeper
from tests.fakes.clips import WalkerClip
from tests.fakes.ports import InMemoryCameras

RATIO_MAX: Final = 1.25
CLOCK: Final = SystemClock()
KINDS: Final = ("limit", "ours", "jpeg", "all")
_GROUP_S: Final = 2
_X264: Final = {"preset": "medium", "profile": "main", "bf": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A recording as cameras send it: H.264 main profile, no B-frames, a key frame every 2 s."""

    width: int
    height: int
    fps: int
    seconds: float
    bit_rate: int

    @property
    def pictures(self) -> int:
        return round(self.seconds * self.fps)

    @property
    def name(self) -> str:
        return f"{self.width}x{self.height}, {self.fps} fps, {self.bit_rate / 1e6:g} Mbit/s"

    def write(self, path: Path) -> None:
        """Write it as MPEG-TS, whose packets have the form in which cameras send them.

        One group of pictures is encoded and comes again and again.
        """
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=self.fps, options=_X264)
            stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
            stream.bit_rate = self.bit_rate
            stream.codec_context.gop_size = _GROUP_S * self.fps
            group = self._group(stream)
            for number in range(self.pictures):
                encoded = group[number % len(group)]
                packet = av.Packet(bytes(encoded))
                packet.stream, packet.time_base = stream, stream.codec_context.time_base
                packet.pts = packet.dts = number
                packet.is_keyframe = encoded.is_keyframe
                container.mux(packet)

    def _group(self, stream: VideoStream) -> "list[Packet[VideoStream]]":
        clip = WalkerClip(width=self.width, height=self.height, fps=self.fps, duration_s=_GROUP_S)
        packets: list[Packet[VideoStream]] = []
        for index in range(clip.frames):
            picture = av.VideoFrame.from_ndarray(clip.picture(index), format="bgr24")
            picture.pts = index
            packets += stream.encode(picture)
        return packets + stream.encode()


VIDEOS: Final = (
    Video(width=640, height=360, fps=25, seconds=60.0, bit_rate=800_000),
    Video(width=1920, height=1080, fps=25, seconds=10.0, bit_rate=4_000_000),
)


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds for each picture of the recording, by the wall's clock and the processor's."""

    wall_ms: float
    cpu_ms: float


@dataclass(slots=True)
class IngestBench:
    """Runs all rows over each recording in turn; ``rounds`` holds what they took."""

    folder: Path
    redis_url: str
    rounds: dict[tuple[Video, str], list[Spent]] = field(default_factory=dict)

    def prepare(self) -> None:
        for video in VIDEOS:
            video.write(self._path(video))

    def run_round(self) -> None:
        for video in VIDEOS:
            path = self._path(video)
            rows: dict[str, Callable[[], tuple[float, float]]] = {
                "limit": partial(by_ffmpeg if shutil.which("ffmpeg") else by_pyav, path),
                "ours": partial(self._ours, path, analysis_fps=5.0),
                "jpeg": partial(self._ours, path, analysis_fps=5.0, is_shared=False),
                "all": partial(self._ours, path, analysis_fps=float(video.fps)),
            }
            for kind in KINDS:
                wall_s, cpu_s = rows[kind]()
                spent = Spent(1000 * wall_s / video.pictures, 1000 * cpu_s / video.pictures)
                self.rounds.setdefault((video, kind), []).append(spent)

    def table(self) -> list[str]:
        """Return the table's lines in Markdown."""
        limit = "ffmpeg -threads 1" if shutil.which("ffmpeg") else "bare PyAV, one thread"
        lines = [
            f"| recording | analysed | ms a picture | {limit} | ratio | by the wall's clock |",
            "|---|---|--:|--:|--:|--:|",
        ]
        for video in VIDEOS:
            for kind, analysed in (
                ("ours", "5 a second"),
                ("jpeg", "5 a second, as JPEG"),
                ("all", "every picture"),
            ):
                lines.append(
                    f"| {video.name} | {analysed} | {self._cpu_ms(video, kind):.2f} | "
                    f"{self._cpu_ms(video, 'limit'):.2f} | {self.ratio(video, kind):.2f} | "
                    f"{self._wall_ratio(video, kind):.2f} |"
                )
        return lines

    def ratio(self, video: Video, kind: str) -> float:
        """Processor time of a row to that of the limit; the bar for ``ours`` is ``RATIO_MAX``."""
        pairs = zip(self.rounds[video, kind], self.rounds[video, "limit"], strict=True)
        return statistics.median(one.cpu_ms / limit.cpu_ms for one, limit in pairs)

    def verdict(self) -> tuple[str, bool]:
        """Return whether the bar is met at every size, in words as well."""
        found = {video.name: self.ratio(video, "ours") for video in VIDEOS}
        holds = all(ratio <= RATIO_MAX for ratio in found.values())
        said = ", ".join(f"{ratio:.2f} ({name})" for name, ratio in found.items())
        return f"Bar {RATIO_MAX} at 5 a second: {'met' if holds else 'not met'}, {said}.", holds

    def _wall_ratio(self, video: Video, kind: str) -> float:
        pairs = zip(self.rounds[video, kind], self.rounds[video, "limit"], strict=True)
        return statistics.median(one.wall_ms / limit.wall_ms for one, limit in pairs)

    def _cpu_ms(self, video: Video, kind: str) -> float:
        return statistics.median(spent.cpu_ms for spent in self.rounds[video, kind])

    def _path(self, video: Video) -> Path:
        return self.folder / f"{video.height}.ts"

    def _ours(
        self, path: Path, *, analysis_fps: float, is_shared: bool = True
    ) -> tuple[float, float]:
        source = SourceSettings(source_type=SourceType.FILE, url=str(path), is_paced=False)
        camera = Camera(camera_id="bench", source=source, analysis_fps=analysis_fps)
        queue = RedisFrameQueue(
            self.redis_url,
            settings=QueueSettings(),
            clock=CLOCK,
            sender=pixel_sender(QueueSettings(), CLOCK) if is_shared else None,
        )
        self._say_where_a_reader_is()
        loop = CameraIngest(
            camera,
            writer=queue,
            ring=ClipRing(keep_s=IngestSettings().clip_ring_s),
            status=StatusKeeper(
                "bench", directory=InMemoryCameras(), stall_after_s=10.0, clock=CLOCK
            ),
            settings=IngestSettings(),
            clock=CLOCK,
        )
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        loop.run(threading.Event())
        spent = time.perf_counter() - began_s, time.process_time() - began_cpu_s
        queue.close()
        return spent

    def _say_where_a_reader_is(self) -> None:
        """As a reader does that takes frames now and then."""
        folder = shared_folder(QueueSettings())
        if folder is not None:
            with redis.Redis.from_url(self.redis_url) as client:
                client.set("vigil:{bench}:reader", folder.place())


def by_ffmpeg(path: Path) -> tuple[float, float]:
    """Decode with the command; seconds by the wall's clock and the processor's, start included."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-i", str(path)]
    began_s, began_cpu_s = time.perf_counter(), _children_s()
    subprocess.run([*command, "-f", "null", "-"], check=True)
    return time.perf_counter() - began_s, _children_s() - began_cpu_s


def by_pyav(path: Path) -> tuple[float, float]:
    """Decode with the thinnest loop of PyAV."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type, stream.codec_context.thread_count = "NONE", 1
        for _ in container.decode(stream):
            continue
    return time.perf_counter() - began_s, time.process_time() - began_cpu_s


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
