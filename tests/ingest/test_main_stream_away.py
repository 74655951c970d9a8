"""A camera of two streams whose main one is away at the moment of an alert is not without a clip.

Times are those of an alert at 20 s whose clip is to show 15 s to 25 s.
"""

from datetime import timedelta
from io import BytesIO

import av
import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.errors import EvidenceMissing
from contracts.settings import IngestSettings
from ingest.clip_ring import Footage
from ingest.clips import make_clip
from ingest.evidence_stream import EvidenceRing
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START
from tests.ingest.loop_bench import LoopBench
from tests.ingest.test_clip_ring import at, packet, template_of
from tests.quirkcam import QuirkCam

STARTS_S, ENDS_S = 15.0, 25.0
SETTINGS = IngestSettings(
    open_timeout_s=2.0, read_timeout_s=1.0, stall_after_s=1.0, back_off_max_s=0.2
)


class Rings:
    """The sub-stream as ``run1``, there all the time unless said; the main one in runs."""

    def __init__(self, *main_s: tuple[float, float], sub_s: tuple[float, float] = (0, 30)) -> None:
        self.ring = EvidenceRing(keep_s=100.0)
        self.ring.expect_main()
        template = template_of(walker_path())
        self.ring.begin_run("run1", template)
        self.ring.anchor(START)
        for index in range(round(sub_s[0] * 10), round(sub_s[1] * 10) + 1):
            self.ring.add(packet(index / 10))
        for number, (from_s, to_s) in enumerate(main_s):
            self.ring.main.begin_run(f"main{number}", template)
            self.ring.main.anchor(START)
            for index in range(round(from_s * 10), round(to_s * 10) + 1):
                self.ring.main.add(packet(index / 10))

    def cover(self) -> Footage:
        return self.ring.cover("run1", at(STARTS_S), at(ENDS_S))


def shown(footage: Footage) -> tuple[float, float]:
    return footage.packets[0].stream_s, footage.packets[-1].stream_s


@pytest.mark.parametrize(
    ("main_s", "stream"),
    [
        pytest.param([(0.0, 30.0)], "main", id="it was there"),
        pytest.param([], "sub", id="it never came"),
        pytest.param([(0.0, 10.0)], "sub", id="it died before"),
        pytest.param([(0.0, 17.0)], "sub", id="it died before the event, in the clip's time"),
        pytest.param([(0.0, 22.0)], "sub", id="it died after the event, in the clip's time"),
        pytest.param([(0.0, 24.2)], "main", id="it died within a second of the end"),
        pytest.param([(0.0, 17.0), (21.0, 30.0)], "sub", id="it went and came back meanwhile"),
        pytest.param([(0.0, 10.0), (12.0, 30.0)], "main", id="it was back in time"),
        pytest.param([(18.0, 30.0)], "sub", id="it came too late"),
    ],
)
def test_the_clip_is_of_the_stream_that_shows_the_time(
    main_s: list[tuple[float, float]], stream: str
) -> None:
    footage = Rings(*main_s).cover()

    assert footage.stream == stream
    if stream == "sub":
        assert shown(footage) == (STARTS_S, ENDS_S)


def test_a_main_stream_that_stood_still_meanwhile_was_away() -> None:
    """One connection, and nothing came for 6 s of it."""
    rings = Rings()
    rings.ring.main.begin_run("main", template_of(walker_path()))
    rings.ring.main.anchor(START)
    for index in [*range(170), *range(230, 300)]:
        rings.ring.main.add(packet(index / 10))

    assert rings.cover().stream == "sub"


def test_where_both_were_away_the_one_that_shows_more_is_taken() -> None:
    assert Rings((0.0, 23.0), sub_s=(0, 18)).cover().stream == "main"
    assert Rings((0.0, 18.0), sub_s=(0, 23)).cover().stream == "sub"


def test_a_run_of_the_analysed_stream_that_is_gone_leaves_what_the_main_one_has() -> None:
    footage = Rings((0.0, 18.0)).ring.cover("run0", at(STARTS_S), at(ENDS_S))

    assert footage.stream == "main"


def test_a_camera_with_one_stream_has_no_name_for_it() -> None:
    rings = Rings()
    rings.ring.tell_single()

    assert rings.cover().stream == ""


def test_what_is_held_of_both_is_counted_and_bounded() -> None:
    both, one = Rings((0.0, 30.0)).ring, Rings().ring

    assert both.size_bytes == 2 * one.size_bytes


class Watched:
    """A camera of two real streams, 160 and 640 pixels wide, and clips of its newest seconds."""

    def __init__(self, sub: QuirkCam, main: QuirkCam) -> None:
        source = SourceSettings(source_type=SourceType.RTSP, url=sub.url, evidence_url=main.url)
        self.bench = LoopBench(Camera(camera_id="gate", source=source), SystemClock(), SETTINGS)
        self.ring = EvidenceRing(keep_s=60.0)
        self.bench.ingest._ring = self.ring
        self.bench.thread.start()

    def newest(self, seconds: float) -> Footage | None:
        """What there is of the seconds up to now; nothing while that is still coming."""
        status = self.bench.published()
        ends_at = status.last_frame_at
        if ends_at is None or not self.ring.reaches(status.run_id, ends_at):
            return None
        try:
            return self.ring.cover(status.run_id, ends_at - timedelta(seconds=seconds), ends_at)
        except EvidenceMissing:
            return None

    def clip_of(self, stream: str, *, seconds: float) -> int:
        """Wait until a clip of the newest seconds is cut from a stream; how wide it is."""
        found: list[Footage] = []

        def is_so() -> bool:
            footage = self.newest(seconds)
            found[:] = [] if footage is None else [footage]
            return footage is not None and footage.stream == stream

        self.bench.until(is_so)
        with av.open(BytesIO(make_clip(found[0])), "r") as clip:
            assert sum(1 for _ in clip.decode(video=0)) > 5
            return clip.streams.video[0].width


def test_the_main_stream_of_a_camera_goes_and_comes_back() -> None:
    """Over RTSP: before, while it is away, and once it is there again."""
    small = walker_path(WalkerClip(width=160, height=90))
    large = walker_path(WalkerClip(width=640, height=360))
    with QuirkCam(small) as sub, QuirkCam(large) as main:
        watched = Watched(sub, main)
        try:
            assert watched.clip_of("main", seconds=2.0) == 640
            main.refuse_connections()
            main.drop_connections()
            assert watched.clip_of("sub", seconds=4.0) == 160
            main.accept_connections()
            assert watched.clip_of("main", seconds=2.0) == 640
        finally:
            watched.bench.end()
