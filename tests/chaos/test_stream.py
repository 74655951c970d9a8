"""Rows C8 to C15 and C19: what comes in, against the real ingest loop, read by its time codes."""

import time
from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from contracts.cameras import RtspTransport
from contracts.errors import EvidenceMissing
from contracts.settings import IngestSettings
from ingest.clips import make_clip
from tests.chaos.bench import Seen, TimedLoop, reading
from tests.chaos.measured import Measured, elapsed_until
from tests.faultproxy import Faults, TcpProxy, UdpProxy
from tests.quirkcam import QuirkCam, Quirks
from tests.quirkcam.clips import Clip, media_of

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

CLIP = Clip(duration_s=8.0, fps=10)
HOUR_S = 3600.0
STEP_S = 0.2
"""Between frames at the analysis rate."""


def interval_errors_s(frames: list[Seen], *, fps: float) -> list[float]:
    """By how much the time between frames differs from that of their time codes, within runs."""
    errors = []
    for before, after in pairwise(frames):
        if before.number is None or after.number is None or after.number <= before.number:
            continue  # a loop of the clip began again
        if before.header.run_id == after.header.run_id:
            said_s = (after.captured_at - before.captured_at).total_seconds()
            errors.append(abs(said_s - (after.number - before.number) / fps))
    return errors


@pytest.mark.row("C8")
@pytest.mark.parametrize("how", ["jitter", "bursts"])
def test_times_come_from_the_stream_not_from_arrival(measured: Measured, how: str) -> None:
    quirks = Quirks(burst_s=2.0) if how == "bursts" else Quirks()
    faults = Faults(jitter_s=0.8) if how == "jitter" else Faults()
    with QuirkCam(media_of(CLIP), quirks=quirks) as camera, TcpProxy(camera.port) as proxy:
        camera.stand_behind(proxy.port)
        settings = IngestSettings(open_timeout_s=5.0, read_timeout_s=5.0)
        with reading(camera.url, settings=settings) as bench:
            bench.until_received(5)
            proxy.faults = faults
            bench.until_received(250, within_s=75.0)
            frames = bench.frames()
    errors_s = interval_errors_s(frames, fps=CLIP.fps)
    worst_s = float(np.percentile(errors_s, 99))
    measured.note(f"{how}: p99 {1000 * worst_s:.1f} ms of {len(errors_s)}", holds=worst_s <= 0.040)
    runs = len({seen.header.run_id for seen in frames})
    measured.note(f"{runs} run", holds=runs == 1)
    measured.hold()


@pytest.mark.row("C9")
def test_packets_out_of_order_and_twice(measured: Measured) -> None:
    proxies: list[UdpProxy] = []
    with ExitStack() as stack:

        def through(address: tuple[str, int]) -> tuple[str, int]:
            # RTP only: its port is the even one.
            faults = Faults(reordered=0.1, duplicated=0.1) if address[1] % 2 == 0 else Faults()
            proxy = stack.enter_context(UdpProxy(address, faults=faults))
            proxies.append(proxy)
            return ("127.0.0.1", proxy.port)

        camera = stack.enter_context(QuirkCam(media_of(CLIP), route=through))
        with reading(camera.url, transport=RtspTransport.UDP) as bench:
            bench.until_received(75)
            corrupt, frames = bench.corrupt, bench.frames()
            is_alive = bench.is_alive
    errors = sum(status.phase == "back_off" for status in bench.directory.statuses)
    measured.note(f"{sum(p.passed_total for p in proxies)} datagrams, {corrupt} corrupt")
    measured.lost(f"{errors} exceptions", is_allowed=errors == 0 and is_alive)
    numbers = [seen.number for seen in frames]
    unread = numbers.count(None)
    measured.note(f"{unread} of {len(numbers)} frames damaged unnoticed", holds=unread == 0)
    measured.hold()


@pytest.mark.row("C10")
@pytest.mark.parametrize("share", [1e-5, 1e-4, 1e-3])
def test_bits_that_flip(measured: Measured, share: float) -> None:
    with (
        QuirkCam(media_of(CLIP), speed=80.0, quirks=Quirks(bit_flips=share)) as camera,
        reading(camera.url) as bench,
    ):
        took_s = elapsed_until(lambda: camera.pictures_total >= HOUR_S * CLIP.fps, within_s=200.0)
        corrupt, is_alive = bench.corrupt, bench.is_alive
        sent_s = camera.pictures_total / CLIP.fps
    measured.note(
        f"{share:g}: {corrupt} of {camera.pictures_total} pictures corrupt, left out",
        holds=corrupt > 0,
    )
    measured.note(f"{sent_s:.0f} s of stream in {took_s:.0f} s", holds=sent_s >= HOUR_S)
    measured.lost("0 crashes", is_allowed=is_alive)
    measured.hold()


@pytest.mark.row("C11")
@pytest.mark.parametrize(
    ("name", "quirks"),
    [
        pytest.param("no sets in SDP", Quirks(has_sets_in_sdp=False), id="sdp"),
        pytest.param("mid-group", Quirks(join_at=13), id="mid-group"),
        pytest.param("both", Quirks(join_at=13, has_sets_in_sdp=False), id="both"),
    ],
)
def test_a_stream_joined_in_the_midst(measured: Measured, name: str, quirks: Quirks) -> None:
    group = Clip(duration_s=8.0, key_every_s=1.0)
    with QuirkCam(media_of(group), quirks=quirks) as camera:
        began_s = time.monotonic()
        with reading(camera.url, settings=IngestSettings()) as bench:
            bench.until_received(1)
            took_s = time.monotonic() - began_s
            bench.until_received(20)
            frames = bench.frames()
    measured.recovered(took_s, at_most_s=2.0 * group.key_every_s + 2.0)
    grey = sum(seen.number is None for seen in frames)
    measured.note(f"{name}: {grey} grey frames", holds=grey == 0)
    measured.hold()


@pytest.mark.row("C12")
@pytest.mark.parametrize(
    "clip",
    [
        pytest.param(Clip(duration_s=8.0, b_frames=3), id="B-frames"),
        pytest.param(Clip(duration_s=8.0, b_frames=2, open_group=True), id="open groups"),
        pytest.param(Clip(duration_s=8.0, refresh=True, key_every_s=2.0), id="intra refresh"),
    ],
)
def test_pictures_come_in_order_of_presentation(measured: Measured, clip: Clip) -> None:
    # Joined where no key frame is: intra refresh has but one.
    joined = Quirks(join_at=30)
    with QuirkCam(media_of(clip), quirks=joined) as camera:
        began_s = time.monotonic()
        with reading(camera.url, settings=IngestSettings()) as bench:
            bench.until_received(1)
            took_s = time.monotonic() - began_s
            bench.until_received(30)
            frames = bench.frames()
    measured.recovered(took_s, at_most_s=10.0)
    times = [seen.header.monotonic_s for seen in frames]
    numbers = [seen.number for seen in frames]
    turns = sum(
        after is not None and before is not None and after < before
        for before, after in pairwise(numbers)
    )
    measured.note(f"{len(frames)} frames", holds=all(b > a for a, b in pairwise(times)))
    measured.check("pictures out of order", turns <= len(frames) * STEP_S / clip.duration_s + 1)
    measured.check("unreadable pictures", sum(number is None for number in numbers) <= 1)
    measured.hold()


@pytest.mark.row("C13")
def test_another_resolution_in_the_midst(measured: Measured) -> None:
    day = Clip(duration_s=4.0, width=320, height=180)
    night = Clip(duration_s=4.0, width=640, height=360, first_number=40)
    with (
        QuirkCam(media_of(day) + media_of(night), is_looped=True) as camera,
        reading(camera.url, settings=IngestSettings()) as bench,
    ):
        bench.until_received(50)
        frames = bench.frames()
    sizes = [(seen.header.width, seen.header.height) for seen in frames]
    gaps = [
        after.header.monotonic_s - before.header.monotonic_s
        for before, after in pairwise(frames)
        if before.header.run_id == after.header.run_id
    ]
    walls = [(b.captured_at - a.captured_at).total_seconds() for a, b in pairwise(frames)]
    measured.recovered(max(*gaps, *walls), at_most_s=1.0)
    measured.note(f"sizes {sorted(set(sizes))}", holds={(320, 180), (640, 360)} <= set(sizes))
    unread = sum(seen.number is None for seen in frames)
    measured.check(f"{unread} pictures spoilt", unread == 0)
    measured.hold()


def clip_s(bench: TimedLoop, frames: list[Seen]) -> float:
    """Length of the clip of the newest run, by its own timestamps."""
    newest = [seen for seen in frames if seen.header.run_id == frames[-1].header.run_id]
    footage = bench.ring.cover(
        newest[0].header.run_id, newest[0].captured_at, newest[-1].captured_at
    )
    assert make_clip(footage)
    return footage.packets[-1].stream_s - footage.packets[0].stream_s


@pytest.mark.row("C14")
@pytest.mark.parametrize(
    ("name", "quirks"),
    [
        pytest.param("reset", Quirks(first_timestamp=0, drop_after_s=3.0), id="reset"),
        pytest.param("back", Quirks(jump_at_s=3.0, jump_s=-10.0), id="10 s back"),
        pytest.param("ahead", Quirks(jump_at_s=3.0, jump_s=600.0), id="10 min ahead"),
        pytest.param("wrap", Quirks(first_timestamp=2**32 - 270_000), id="wrap after 3 s"),
    ],
)
def test_timestamps_that_do_not_go_on(measured: Measured, name: str, quirks: Quirks) -> None:
    with (
        QuirkCam(media_of(CLIP), quirks=quirks) as camera,
        reading(camera.url, settings=IngestSettings()) as bench,
    ):
        bench.until_received(35)
        frames = bench.frames()
        length_s = -1.0
        try:
            length_s = clip_s(bench, frames)
        except EvidenceMissing as error:
            measured.check(f"no clip: {error}", holds=False)
    steps = [
        (
            after.header.monotonic_s - before.header.monotonic_s,
            after.header.run_id == before.header.run_id,
        )
        for before, after in pairwise(frames)
    ]
    negative = sum(step < 0 for step, is_same_run in steps if is_same_run)
    walls = [(b.captured_at - a.captured_at) for a, b in pairwise(frames)]
    backward = sum(wall < timedelta(0) for wall in walls)
    longest_s = max(walls).total_seconds()
    runs = len({seen.header.run_id for seen in frames})
    measured.note(f"{name}: {runs} runs, clip of {length_s:.1f} s, widest gap {longest_s:.1f} s")
    measured.lost(f"{negative + backward} negative durations", is_allowed=negative + backward == 0)
    measured.check(f"clip of {length_s:.1f} s", 0.0 <= length_s <= 9.0)
    measured.check(f"gap of {longest_s:.1f} s", longest_s <= 5.0)
    measured.check(f"{runs} runs", runs == (1 if name == "wrap" else 2) or name == "reset")
    measured.hold()


@pytest.mark.row("C19")
@pytest.mark.parametrize("codec", ["h264", "hevc", "mjpeg"])
@pytest.mark.parametrize("audio", ["none", "pcmu", "pcma", "aac"])
def test_codecs_and_sounds(measured: Measured, codec: str, audio: str) -> None:
    clip = Clip(duration_s=2.0, codec=codec)  # type: ignore[arg-type]  # one of them
    quirks = Quirks(audio=audio)  # type: ignore[arg-type]  # one of them
    with QuirkCam(media_of(clip), quirks=quirks) as camera, reading(camera.url) as bench:
        took_s = bench.until_received(8)
        frames = bench.frames()
    unread = sum(seen.number is None for seen in frames)
    measured.note(f"{codec}+{audio}: decoded", holds=took_s < 30.0 and unread == 0)
    measured.hold()
