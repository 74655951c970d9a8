"""Watching a camera with privacy masks: what it sends shows what they cover, and never goes out."""

from contracts.cameras import SourceSettings, SourceType
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.masked import LEFT
from tests.ingest.webrtc.peers import Bench, Peer, Peers, published, watched

GREY = 96


def covered(viewer: Peer) -> list[bool]:
    """Whether each picture that the viewer saw has the mask on its left and only there."""
    return [abs(left - GREY) <= 6 < right - GREY for left, right in viewer.seen.levels]


def test_a_viewer_of_a_camera_with_masks_gets_none_of_its_packets(
    bench: Bench, peers: Peers
) -> None:
    bench.ingest.mask((LEFT,))
    published(bench, peers)

    viewer = watched(bench, peers)

    assert not bench.live.feed.is_original
    assert all(covered(viewer))


def test_a_viewer_who_watches_already_sees_the_mask_and_stays(bench: Bench, peers: Peers) -> None:
    published(bench, peers)
    viewer = watched(bench, peers)
    assert not any(covered(viewer))

    bench.ingest.mask((LEFT,))
    bench.until(lambda: any(covered(viewer)))  # what was on its way to the viewer comes before
    first = covered(viewer).index(True)
    bench.until(lambda: len(viewer.seen.levels) > first + 10)

    assert all(covered(viewer)[first:])


def test_who_joins_gets_nothing_of_before_the_mask(bench: Bench, peers: Peers) -> None:
    """A viewer begins with the group of pictures under way, which may be older than the mask."""
    published(bench, peers)
    watched(bench, peers)

    bench.ingest.mask((LEFT,))

    assert all(covered(watched(bench, peers)))


def test_lifting_a_mask_goes_back_to_the_cameras_own_packets(bench: Bench, peers: Peers) -> None:
    bench.ingest.mask((LEFT,))
    published(bench, peers)
    viewer = watched(bench, peers)

    bench.ingest.mask(())
    bench.until(lambda: not covered(viewer)[-1])

    assert bench.live.feed.is_original


def test_a_viewer_whose_codec_ends_with_the_mask_is_let_go(bench: Bench, peers: Peers) -> None:
    published(bench, peers, codec="VP8")
    viewer = peers.viewer()
    viewer.take(bench.watch(viewer.offer))
    bench.until(lambda: len(viewer.seen.levels) > 3)

    bench.ingest.mask((LEFT,))
    bench.until(lambda: bench.live.feed.codec == "H264")
    bench.until(lambda: viewer.connection.connectionState == "closed")

    assert all(covered(watched(bench, peers)))


def test_the_mask_of_a_camera_that_is_read_covers_its_live_view(peers: Peers) -> None:
    source = SourceSettings(
        source_type=SourceType.FILE, url=str(walker_path(WalkerClip(fps=25))), is_looped=True
    )
    bench = Bench(source)
    bench.ingest.mask((LEFT,))
    viewer = peers.viewer()
    bench.until(lambda: bench.live.feed.codec != "")
    viewer.take(bench.watch(viewer.offer))
    bench.until(lambda: len(viewer.seen.levels) > 10)
    bench.end()

    assert all(abs(left - GREY) <= 6 for left, _ in viewer.seen.levels)
