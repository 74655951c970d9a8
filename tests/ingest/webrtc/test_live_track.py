import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.webrtc.live_feed import LivePacket
from ingest.webrtc.live_track import LiveTrack, Stamper
from tests.fakes.clock import ManualClock


def packet(stream_s: float, *, is_key: bool = False, run: int = 1) -> LivePacket:
    return LivePacket(content=b"x", stream_s=stream_s, is_key=is_key, run=run)


def test_stream_time_is_kept_within_a_run() -> None:
    stamper = Stamper()

    ticks = [stamper.ticks(packet(100 + step / 30), now_s=step / 30) for step in range(5)]

    assert [later - earlier for earlier, later in pairwise(ticks)] == [3000] * 4


def test_a_new_run_goes_on_as_the_clock_went_on() -> None:
    stamper = Stamper()
    first = stamper.ticks(packet(5000.0), now_s=10.0)

    second = stamper.ticks(packet(0.0, run=2), now_s=14.0)
    third = stamper.ticks(packet(0.5, run=2), now_s=14.5)

    assert (second - first, third - second) == (4 * 90_000, 45_000)


def test_a_long_jump_within_a_run_is_a_break() -> None:
    stamper = Stamper()
    first = stamper.ticks(packet(0.0), now_s=0.0)

    assert stamper.ticks(packet(3600.0), now_s=1.0) - first == 90_000


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.integers(1, 3), st.floats(0, 100)), min_size=2, max_size=50
    )
)
def test_time_only_grows(steps: list[tuple[float, int, float]]) -> None:
    stamper = Stamper()
    now_s = 0.0
    ticks = []
    for stream_s, run, step_s in steps:
        now_s += step_s
        ticks.append(stamper.ticks(packet(stream_s, run=run), now_s=now_s))

    assert all(later > earlier for earlier, later in pairwise(ticks))


def test_with_a_new_run_nothing_of_the_one_before_is_sent_any_more() -> None:
    async def watch() -> None:
        wanted: list[int] = []
        track = LiveTrack(lambda: wanted.append(1), clock=ManualClock())
        track.deliver(packet(0.0, is_key=True))
        track.deliver(packet(0.1))
        track.deliver(packet(7.0, run=2))
        track.deliver(packet(7.1, run=2, is_key=True))

        first = await track.recv()

        assert wanted == [1]
        assert first.is_keyframe
        track.stop()

    asyncio.run(watch())


def test_a_viewer_begins_with_a_key_frame_and_again_when_it_cannot_keep_up() -> None:
    async def watch() -> None:
        wanted: list[int] = []
        track = LiveTrack(lambda: wanted.append(1), clock=ManualClock())
        track.deliver(packet(0.0))
        track.deliver(packet(0.1, is_key=True))
        for step in range(2, 403):
            track.deliver(packet(step / 10))
        track.deliver(packet(41.0, is_key=True))

        first = await track.recv()

        assert wanted == [1]
        assert first.is_keyframe
        track.stop()

    asyncio.run(watch())
