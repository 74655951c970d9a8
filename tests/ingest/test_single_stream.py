"""A camera that has one stream where two were hoped for: it is the one that is kept."""

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.settings import IngestSettings
from ingest.evidence_stream import EvidenceRing
from ingest.supervisor import recorded_ring
from tests.fakes.clips import walker_path
from tests.ingest.loop_bench import LoopBench
from tests.onvif_device import FakeProfile, OnvifServer
from tests.quirkcam import QuirkCam


def test_the_only_stream_of_a_device_is_watched_and_recorded() -> None:
    """Asked for its main stream, it has none: nothing would be recorded, and nobody told."""
    with QuirkCam(walker_path()) as stream:
        profile = FakeProfile(profile_id="p", url=stream.url)
        with OnvifServer(profiles=(profile,)) as device:
            source = SourceSettings(
                source_type=SourceType.ONVIF,
                url=device.url,
                evidence_url=f"{device.url}?stream=main",
            )
            camera = Camera(camera_id="gate", source=source)
            bench = LoopBench(camera, SystemClock(), IngestSettings())
            ring = EvidenceRing(keep_s=60.0)
            bench.ingest._ring = ring
            assert recorded_ring(camera, ring) is ring.main, "until the device has said so"
            bench.thread.start()
            bench.until(lambda: ring.is_single and ring.size_bytes > 0)
            bench.end()

    assert recorded_ring(camera, ring) is ring
    assert ring.main.size_bytes == 0
