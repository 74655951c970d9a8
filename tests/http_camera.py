"""A camera that speaks HTTP on loopback: MJPEG, fragmented MP4, HLS, and a camera's bad habits."""

import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np

from tests.loopback import LoopbackHttp, QuietHandler
from tests.quirkcam.credentials import Gatekeeper

_BOUNDARY = "frame"


@dataclass
class HttpServer:
    """Serves what ``pages`` holds, and ``/mjpeg`` picture by picture, until the block ends.

    Attributes:
        pages: Content type and content by path.
        redirects: Where a path sends its visitors.
        fps: Of ``/mjpeg``.
        stall_after: Pictures after which ``/mjpeg`` says nothing more.
        is_dripping: ``/mjpeg`` sends one byte every tenth of a second.
    """

    pages: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    redirects: Mapping[str, str] = field(default_factory=dict)
    fps: float = 20.0
    stall_after: int = 1_000
    is_dripping: bool = False
    user: str = ""
    password: str = ""
    requests: list[str] = field(default_factory=list)
    is_stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        camera = self
        gate = Gatekeeper(user=self.user, password=self.password, scheme="digest")

        class Answer(QuietHandler):
            def do_GET(self) -> None:
                camera.requests.append(self.path)
                given = {"authorization": self.headers.get("Authorization", "")}
                if challenges := gate.check("GET", given):
                    self.send_response(401)
                    for challenge in challenges:
                        self.send_header(*challenge.split(": ", 1))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                elif self.path in camera.redirects:
                    self.send_response(302)
                    self.send_header("Location", camera.redirects[self.path])
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                elif self.path == "/mjpeg":
                    self.send_response(200)
                    kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
                    self.send_header("Content-Type", kind)
                    self.end_headers()
                    camera.send_pictures(self.wfile)
                elif self.path in camera.pages:
                    kind, content = camera.pages[self.path]
                    self.send_response(200)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                else:
                    self.send_error(404)

        self._server = LoopbackHttp(Answer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.is_stopped.set()
        self._server.close()

    def url(self, path: str) -> str:
        userinfo = f"{self.user}:{self.password}@" if self.user else ""
        return f"http://{userinfo}127.0.0.1:{self._server.port}{path}"

    def send_pictures(self, client: io.BufferedIOBase) -> None:
        for number in range(self.stall_after):
            part = jpeg_part(number)
            steps = [part[at : at + 1] for at in range(len(part))] if self.is_dripping else [part]
            for step in steps:
                client.write(step)
                client.flush()
                if self.is_stopped.wait(0.1 if self.is_dripping else 1 / self.fps):
                    return
        self.is_stopped.wait()


def jpeg_part(number: int) -> bytes:
    """One picture of grey, as a part of multipart."""
    pixels_HW3 = np.full((120, 160, 3), 20 + number % 200, np.uint8)
    content = cv2.imencode(".jpg", pixels_HW3)[1].tobytes()
    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def fragmented(path: Path) -> bytes:
    """A clip as fragmented MP4, one fragment for each key frame."""
    return _remux(path, form="mp4", options={"movflags": "frag_keyframe+empty_moov"})


def hls_pages(
    path: Path, *, segments: int = 3, is_ended: bool = False
) -> dict[str, tuple[str, bytes]]:
    """A playlist with MPEG-TS segments, each a whole clip of its own times that go on."""
    pages: dict[str, tuple[str, bytes]] = {}
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:7"]
    for number in range(segments):
        content = _remux(path, form="mpegts", shift=number)
        pages[f"/hls/{number}.ts"] = ("video/mp2t", content)
        lines += ["#EXTINF:4.0,", f"{number}.ts"]
    if is_ended:
        lines.append("#EXT-X-ENDLIST")
    text = "\n".join(lines) + "\n"
    pages["/hls/live.m3u8"] = ("application/vnd.apple.mpegurl", text.encode())
    pages["/hls/main.m3u8"] = (
        "application/vnd.apple.mpegurl",
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000\nbig.m3u8\n"
        b"#EXT-X-STREAM-INF:BANDWIDTH=100000\nlive.m3u8\n",
    )
    return pages


def _remux(
    path: Path, *, form: str, options: dict[str, str] | None = None, shift: int = 0
) -> bytes:
    """The same packets in another container, ``shift`` clip lengths later."""
    target = io.BytesIO()
    with av.open(str(path)) as source, av.open(target, "w", format=form, options=options) as sink:
        stream = source.streams.video[0]
        copy = sink.add_stream_from_template(stream)
        length = stream.duration or 0
        for packet in source.demux(stream):
            if packet.dts is None or packet.pts is None:
                continue
            packet.pts, packet.dts = packet.pts + shift * length, packet.dts + shift * length
            packet.stream = copy
            sink.mux(packet)
    return target.getvalue()
