import threading
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import av
import pytest

from contracts.cameras import Camera, RtspTransport, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.errors import EvidenceMissing
from contracts.settings import IngestSettings
from ingest.carrier import Carrier
from ingest.clip_ring import ClipRing
from ingest.clip_template import ClipTemplate
from ingest.clips import make_clip
from ingest.errors import TransportRefused
from ingest.evidence_stream import EvidenceRing, EvidenceStream
from ingest.sources.stream import EncodedPacket
from tests.fakes.clips import walker_path
from tests.fakes.clock import START, ManualClock
from tests.ingest.recordings import Shot, write

SETTINGS = IngestSettings(open_timeout_s=2.0, read_timeout_s=2.0, back_off_max_s=0.2)


def camera(main: Path | str) -> Camera:
    return Camera(
        camera_id="gate",
        source=SourceSettings(
            source_type=SourceType.FILE, url=str(walker_path()), evidence_url=str(main)
        ),
    )


@pytest.fixture
def main(tmp_path: Path) -> Path:
    return write(tmp_path / "main.mp4", Shot(frames=40, width=640, height=360))


def filled(path: Path) -> EvidenceRing:
    ring, clock = EvidenceRing(keep_s=60.0), ManualClock()
    EvidenceStream(camera(path), ring=ring.main, settings=SETTINGS, clock=clock).run(
        threading.Event()
    )
    return ring


def test_clips_are_cut_from_the_main_stream_by_their_time(main: Path) -> None:
    footage = filled(main).cover(
        "run_of_the_sub_stream", START + timedelta(seconds=1), START + timedelta(seconds=2)
    )

    with av.open(BytesIO(make_clip(footage))) as clip:
        assert clip.streams.video[0].width == 640
    assert footage.starts_at == START + timedelta(seconds=1)


def test_where_the_main_stream_has_nothing_the_analysed_one_is_asked(main: Path) -> None:
    with pytest.raises(EvidenceMissing, match="no video of run run1 is kept"):
        filled(main).cover("run1", START + timedelta(hours=1), START + timedelta(hours=2))


def test_nobody_waits_for_a_main_stream_that_is_not_there() -> None:
    ring = EvidenceRing(keep_s=60.0)

    assert ring.reaches("run1", START + timedelta(hours=1))


def test_a_main_stream_that_fails_is_tried_again_and_tells_no_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stop = threading.Event()
    stream = EvidenceStream(
        camera("rtsp://admin:hunter2@127.0.0.1:1/x"),
        ring=EvidenceRing(keep_s=60.0).main,
        settings=SETTINGS,
        clock=SystemClock(),
    )
    thread = threading.Thread(target=stream.run, args=(stop,))
    thread.start()
    stop.wait(1.0)
    stop.set()
    thread.join(5)

    printed = capsys.readouterr()
    assert printed.out.count("main stream cannot be read") > 1
    assert "hunter2" not in printed.out + printed.err


class Changing(ClipRing):
    """Has the analysed stream go over to another carrier in the midst."""

    def __init__(self, carrier: Carrier) -> None:
        super().__init__(keep_s=60.0)
        self.runs = self.packets = 0
        self._carrier = carrier

    def begin_run(self, run_id: str, template: ClipTemplate) -> None:
        self.runs += 1
        super().begin_run(run_id, template)

    def add(self, packet: EncodedPacket) -> None:
        self.packets += 1
        if self.packets == 5:
            self._carrier.failed(TransportRefused("gate", "461"), now_s=1.0)
        super().add(packet)


def test_a_main_stream_that_comes_not_by_rtp_goes_on_when_the_carrier_changes(main: Path) -> None:
    carrier = Carrier(RtspTransport.UDP, now_s=0.0)
    ring = Changing(carrier)
    stream = EvidenceStream(
        camera(main), ring=ring, settings=SETTINGS, clock=ManualClock(), carrier=carrier
    )

    stream.run(threading.Event())

    assert carrier.transport is RtspTransport.TCP
    assert (ring.runs, ring.packets) == (1, 40)
