"""A gateway with a camera's loop, and peers that publish to it and watch it, on loopback."""

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, TypeVar

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.codecs import get_capabilities

from contracts.cameras import Camera, CameraStatus, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.ids import new_id
from contracts.settings import IngestSettings, QueueSettings, WebRtcSettings
from ingest.camera import CameraIngest
from ingest.clip_ring import ClipRing
from ingest.local_queue import LocalFrameQueue
from ingest.status import StatusKeeper
from ingest.webrtc.gateway import MediaGateway
from ingest.webrtc.live_cameras import LiveCameras
from ingest.webrtc.signals import Signal, SignalAnswer, SignalKind
from tests.fakes.ports import InMemoryCameras

ItemT = TypeVar("ItemT")
CLOCK = SystemClock()
LOOPBACK = WebRtcSettings(addresses=("127.0.0.1",), viewers=2)
SETTINGS = IngestSettings(
    open_timeout_s=2.0, read_timeout_s=1.0, stall_after_s=1.0, back_off_max_s=0.2
)


class ShiftedClock(SystemClock):
    """The machine's clocks, ahead by what a test says."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


class InMemoryInbox:
    """Both ends of the requests: ``ask`` waits for the gateway's answer."""

    def __init__(self) -> None:
        self.patience_s = 15.0
        self._requests: queue.Queue[Signal] = queue.Queue()
        self._answers: dict[str, queue.Queue[SignalAnswer]] = {}

    def ask(self, signal: Signal) -> SignalAnswer:
        waiting = self._answers[signal.signal_id] = queue.Queue()
        self._requests.put(signal)
        return waiting.get(timeout=self.patience_s)

    def receive(self, *, timeout_s: float) -> Sequence[Signal]:
        try:
            return [self._requests.get(timeout=min(timeout_s, 0.1))]
        except queue.Empty:
            return []

    def answer(self, signal: Signal, answer: SignalAnswer) -> None:
        self._answers[signal.signal_id].put(answer)


class Bench:
    """One camera's loop and the gateway, with everything around them in memory."""

    def __init__(
        self,
        source: SourceSettings | None = None,
        *,
        settings: IngestSettings = SETTINGS,
        webrtc: WebRtcSettings = LOOPBACK,
        keeps_audio: bool = False,
    ) -> None:
        self.clock = ShiftedClock()
        source = source or SourceSettings(source_type=SourceType.WEBRTC, url="")
        self.camera = Camera(
            camera_id="gate", source=source, analysis_fps=30.0, keeps_audio=keeps_audio
        )
        self.inbox = InMemoryInbox()
        self.cameras = LiveCameras()
        self.live = self.cameras.open(self.camera)
        self.gateway = MediaGateway(self.inbox, self.cameras, settings=webrtc, clock=self.clock)
        self.queue = LocalFrameQueue(QueueSettings(frames_per_camera=10_000))
        self.directory = InMemoryCameras()
        self.ring = ClipRing(keep_s=60.0)
        self._status = StatusKeeper(
            "gate", directory=self.directory, stall_after_s=settings.stall_after_s, clock=CLOCK
        )
        self.ingest = CameraIngest(
            self.camera,
            writer=self.queue,
            ring=self.ring,
            status=self._status,
            settings=settings,
            clock=CLOCK,
            live=self.live,
        )
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=work, args=(self._stop,), daemon=True)
            for work in (self.ingest.run, self.gateway.run)
        ]
        for thread in self._threads:
            thread.start()

    def signal(self, kind: SignalKind, **fields: Any) -> SignalAnswer:  # noqa: ANN401  # of Signal
        values: dict[str, Any] = {
            "signal_id": new_id("sig"),
            "kind": kind,
            "camera_id": "gate",
            "until": self.clock.now() + timedelta(seconds=10),
            **fields,
        }
        return self.inbox.ask(Signal(**values))

    def publish(self, sdp: str, **fields: Any) -> SignalAnswer:  # noqa: ANN401  # of Signal
        return self.signal(SignalKind.PUBLISH, sdp=sdp, **fields)

    def watch(self, sdp: str, **fields: Any) -> SignalAnswer:  # noqa: ANN401  # of Signal
        return self.signal(SignalKind.WATCH, sdp=sdp, **fields)

    def status(self) -> CameraStatus:
        """The status as the supervisor would publish it now."""
        self._status.publish()
        return self.directory.statuses[-1]

    @property
    def received(self) -> int:
        return self.queue.account("gate").received

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait, in real time, until something is so."""
        for _ in range(1200):
            if is_so():
                return
            threading.Event().wait(0.025)
        raise AssertionError(f"not so within 30 s; status: {self.status()}")

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(15)
            assert not thread.is_alive(), thread


class CountingTrack(VideoStreamTrack):
    """Grey pictures, each a little brighter, 30 a second."""

    def __init__(self, size: tuple[int, int] = (320, 240)) -> None:
        super().__init__()
        self._size = size
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        width, height = self._size
        level = 120 + self._count % 80
        picture = av.VideoFrame.from_ndarray(
            np.full((height, width, 3), level, np.uint8), format="rgb24"
        )
        picture.pts, picture.time_base = pts, time_base
        self._count += 1
        return picture


@dataclass
class Seen:
    """What a viewer has decoded."""

    sizes: list[tuple[int, int]] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    levels: list[tuple[int, int]] = field(default_factory=list)
    """Luma near the left edge and near the right one."""
    at: list[datetime] = field(default_factory=list)


class Peers:
    """Peers on an event loop of their own thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connections: list[RTCPeerConnection] = []

    def publisher(
        self,
        *,
        codec: str = "H264",
        audio: MediaStreamTrack | None = None,
        video: MediaStreamTrack | None = None,
    ) -> "Peer":
        return self.call(self._publisher(codec, audio, video))

    def viewer(self, *, codec: str = "") -> "Peer":
        return self.call(self._viewer(codec))

    def call(self, work: Coroutine[Any, Any, ItemT]) -> ItemT:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(15)

    def end(self) -> None:
        for connection in self._connections:
            self.call(connection.close())
        self.call(_settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _publisher(
        self, codec: str, audio: MediaStreamTrack | None, video: MediaStreamTrack | None
    ) -> "Peer":
        connection = self._connection()
        transceiver = connection.addTransceiver(video or CountingTrack(), direction="sendonly")
        prefer(transceiver, codec)
        if audio is not None:
            connection.addTransceiver(audio, direction="sendonly")
        await connection.setLocalDescription(await connection.createOffer())
        return Peer(self, connection)

    async def _viewer(self, codec: str) -> "Peer":
        connection = self._connection()
        transceiver = connection.addTransceiver("video", direction="recvonly")
        prefer(transceiver, codec)
        peer = Peer(self, connection)
        connection.on("track", lambda track: peer.look(track))
        await connection.setLocalDescription(await connection.createOffer())
        return peer

    def _connection(self) -> RTCPeerConnection:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connections.append(connection)
        return connection


class Peer:
    """One end of a connection."""

    def __init__(self, peers: Peers, connection: RTCPeerConnection) -> None:
        self._peers = peers
        self._tasks: set[asyncio.Task[None]] = set()
        self.connection = connection
        self.seen = Seen()

    @property
    def offer(self) -> str:
        sdp: str = self.connection.localDescription.sdp
        return sdp

    def take(self, answer: SignalAnswer) -> None:
        assert answer.status == 201, answer
        description = RTCSessionDescription(answer.sdp, "answer")
        self._peers.call(self.connection.setRemoteDescription(description))

    def close(self) -> None:
        self._peers.call(self.connection.close())

    def vanish(self) -> None:
        """Stop answering and sending without a word, as a phone whose battery is empty."""
        self._peers.call(self._vanish())

    def look(self, track: MediaStreamTrack) -> None:
        task = asyncio.ensure_future(self._look(track))
        self._tasks.add(task)

    async def _look(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except Exception:  # noqa: BLE001  # aiortc's word for the end of a track
                return
            assert isinstance(frame, av.VideoFrame)
            self.seen.sizes.append((frame.width, frame.height))
            self.seen.times_s.append(float((frame.pts or 0) * (frame.time_base or Fraction(0))))
            luma_HW = frame.to_ndarray(format="gray")
            middle = luma_HW[frame.height // 2]
            self.seen.levels.append((int(middle[frame.width // 8]), int(middle[-frame.width // 8])))
            self.seen.at.append(CLOCK.now())

    async def _vanish(self) -> None:
        for transceiver in self.connection.getTransceivers():
            ice = transceiver.receiver.transport.transport._connection
            for protocol in ice._protocols:
                setattr(protocol.transport, "sendto", lambda *_: None)  # noqa: B010  # for mypy


def prefer(transceiver: Any, codec: str) -> None:  # noqa: ANN401  # aiortc's
    if codec:
        found = get_capabilities("video").codecs
        transceiver.setCodecPreferences(
            [one for one in found if one.name.upper() in (codec, "RTX")]
        )


async def _settle() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def published(bench: Bench, peers: Peers, *, codec: str = "H264") -> Peer:
    """A publisher whose pictures, of 120 to 199 grey, arrive."""
    publisher = peers.publisher(codec=codec)
    publisher.take(bench.publish(publisher.offer))
    bench.until(lambda: bench.received > 0)
    return publisher


def watched(bench: Bench, peers: Peers, *, codec: str = "") -> Peer:
    """A viewer that sees pictures."""
    viewer = peers.viewer(codec=codec)
    viewer.take(bench.watch(viewer.offer))
    bench.until(lambda: len(viewer.seen.levels) > 3)
    return viewer
