"""The quick part of the fault matrix: cameras with bad habits are seen, or told of in words."""

from itertools import pairwise

import numpy as np
import pytest

from contracts.cameras import RtspTransport
from contracts.settings import IngestSettings
from ingest.errors import CredentialsRefused, SourceError, SourceUnavailable
from ingest.sources.rtsp import open_rtsp
from ingest.sources.scaling import PictureScaler
from ingest.sources.stream import StreamReader
from tests.e2e.system import wait_for
from tests.ingest.recordings import rtsp_camera
from tests.quirkcam import QuirkCam, Quirks, timecode
from tests.quirkcam.clips import Clip, media_of

SHORT = Clip(duration_s=2.0)
LARGE = Clip(duration_s=1.0, width=640, height=360)
FAST = 8.0
HASTY = IngestSettings(open_timeout_s=1.0, read_timeout_s=1.0)
PATIENT = IngestSettings()


def seen(
    camera: QuirkCam, *, frames: int = 8, transport: RtspTransport = RtspTransport.TCP
) -> list[tuple[int | None, float | None]]:
    """The first frames that ingest decodes: their time codes and stream times."""
    opened = open_rtsp(rtsp_camera(camera.url, transport=transport), PATIENT)
    try:
        reader, scaler = StreamReader(opened, camera_id="gate"), PictureScaler(640)
        found: list[tuple[int | None, float | None]] = []
        for unit in reader.units():
            for decoded in unit.frames:
                pixels_HW3 = np.asarray(scaler.to_bgr(decoded.picture), np.uint8)
                found.append((timecode.read(pixels_HW3), decoded.stream_s))
            if len(found) >= frames:
                return found[:frames]
        raise AssertionError("a live stream does not end like this")
    finally:
        opened.close()


@pytest.mark.parametrize(
    ("clip", "quirks"),
    [
        pytest.param(SHORT, Quirks(has_content_type=False), id="no Content-Type"),
        pytest.param(SHORT, Quirks(content_base="no_scheme"), id="Content-Base without scheme"),
        pytest.param(SHORT, Quirks(control_first=True), id="control before the rest"),
        pytest.param(SHORT, Quirks(odd_media=True), id="a media section nobody knows"),
        pytest.param(SHORT, Quirks(has_origin=False), id="no origin"),
        pytest.param(SHORT, Quirks(trailing_spaces=True), id="trailing spaces"),
        pytest.param(SHORT, Quirks(session_changes=True), id="another session each time"),
        pytest.param(SHORT, Quirks(ssrc="spaces"), id="spaces around the SSRC"),
        pytest.param(SHORT, Quirks(ssrc="misplaced"), id="the SSRC elsewhere"),
        pytest.param(SHORT, Quirks(ssrc="wrong"), id="a wrong SSRC"),
        pytest.param(SHORT, Quirks(rtp_info="lies"), id="RTP-Info lies"),
        pytest.param(SHORT, Quirks(rtp_info="unreadable"), id="RTP-Info not to be read"),
        pytest.param(SHORT, Quirks(rtp_info="none"), id="no RTP-Info"),
        pytest.param(SHORT, Quirks(unassigned_every=3), id="a channel of nobody"),
        pytest.param(SHORT, Quirks(early_rtp=2), id="RTP before the answer to PLAY"),
        pytest.param(SHORT, Quirks(has_reports=False), id="no sender reports"),
        pytest.param(SHORT, Quirks(reports_unknown_ssrc=True), id="reports of another SSRC"),
        pytest.param(SHORT, Quirks(has_sets_in_sdp=False), id="sets in band only"),
        pytest.param(SHORT, Quirks(has_sets_in_band=False), id="sets in the SDP only"),
        pytest.param(SHORT, Quirks(sets_trailing=3), id="zeros behind the SPS"),
        pytest.param(SHORT, Quirks(annex_b=True), id="start codes within RTP"),
        pytest.param(LARGE, Quirks(fu_type_changes=True), id="fragments of another type"),
        pytest.param(LARGE, Quirks(empty_fragments=True), id="empty fragments"),
        pytest.param(SHORT, Quirks(marker_on_sei=True), id="a marker on the SEI"),
        pytest.param(SHORT, Quirks(audio="aac"), id="with sound"),
        pytest.param(SHORT, Quirks(audio="aac", audio_stalls_after_s=0.2), id="sound that stops"),
        pytest.param(SHORT, Quirks(ghost_every=3), id="packets of another session"),
        pytest.param(SHORT, Quirks(first_sequence=65_533), id="sequence numbers wrap"),
        pytest.param(SHORT, Quirks(said_fps=25.0), id="another rate than it says"),
        pytest.param(SHORT, Quirks(answers_teardown=False), id="no answer to TEARDOWN"),
        pytest.param(
            SHORT, Quirks(clock_step_at_s=0.3, clock_step_s=3600.0), id="its clock is set"
        ),
        pytest.param(SHORT, Quirks(first_timestamp=2**32 - 27_000), id="timestamps wrap"),
        pytest.param(Clip(duration_s=2.0, codec="hevc"), Quirks(), id="H.265"),
        pytest.param(Clip(duration_s=2.0, codec="mjpeg"), Quirks(), id="Motion JPEG"),
        pytest.param(Clip(duration_s=2.0, b_frames=2), Quirks(), id="B-frames"),
    ],
)
def test_a_camera_with_a_bad_habit_is_seen(clip: Clip, quirks: Quirks) -> None:
    with QuirkCam(media_of(clip), speed=FAST, quirks=quirks) as camera:
        found = seen(camera)

    assert [number for number, _ in found] == list(range(8))
    times = [stream_s for _, stream_s in found if stream_s is not None]
    steps = [after - before for before, after in pairwise(times)]
    assert steps == pytest.approx([0.1] * len(steps), abs=0.002)


def test_a_stream_joined_within_a_group_begins_with_a_whole_picture() -> None:
    with QuirkCam(media_of(SHORT), speed=FAST, quirks=Quirks(join_at=5)) as camera:
        assert [number for number, _ in seen(camera, frames=4)] == [10, 11, 12, 13]


def test_packets_from_another_port_than_was_said_are_taken() -> None:
    with QuirkCam(media_of(SHORT), speed=2.0, quirks=Quirks(wrong_port=True)) as camera:
        found = seen(camera, frames=4, transport=RtspTransport.UDP)
    assert [number for number, _ in found] == [0, 1, 2, 3]


def test_packets_out_of_order_and_twice_are_seen_once_in_order() -> None:
    quirks = Quirks(reordered=0.2, duplicated=0.2)
    with QuirkCam(media_of(LARGE), speed=2.0, quirks=quirks) as camera:
        found = seen(camera, frames=9, transport=RtspTransport.UDP)
    assert [number for number, _ in found] == [*range(9)]


def read_to_the_end(url: str) -> None:
    opened = open_rtsp(rtsp_camera(url), HASTY)
    try:
        for _ in StreamReader(opened, camera_id="gate").units():
            pass
    finally:
        opened.close()


def failure(url: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_to_the_end(url)
    return caught.value


@pytest.mark.parametrize(
    "quirks",
    [
        pytest.param(Quirks(is_silent=True), id="silent"),
        pytest.param(Quirks(drip_every_s=0.4), id="a byte at a time"),
        pytest.param(Quirks(floods_headers=True), id="headers without end"),
        pytest.param(Quirks(max_sessions=1), id="one session only"),
        pytest.param(Quirks(stall_after_s=0.5), id="falls silent"),
    ],
)
def test_a_camera_that_does_not_serve_is_tried_again(quirks: Quirks) -> None:
    with QuirkCam(media_of(SHORT), quirks=quirks) as camera:
        if quirks.max_sessions:
            first = open_rtsp(rtsp_camera(camera.url), PATIENT)
            error = failure(camera.url)
            first.close()
        else:
            error = failure(camera.url)
        # The camera notices that it was hung up on when its turn comes.
        wait_for(lambda: camera.connections <= 1, within_s=10.0, what="hanging up")
    assert isinstance(error, SourceError)
    assert "rtsp://" in error.reason or "stream" in error.reason
    if not (quirks.max_sessions or quirks.floods_headers):
        assert isinstance(error, SourceUnavailable)


def test_a_stale_nonce_is_no_refusal() -> None:
    secret = "Sn3-canary"  # noqa: S105  # of this test
    quirks = Quirks(nonce_lasts=1)
    with QuirkCam(
        media_of(SHORT), user="admin", password=secret, speed=FAST, quirks=quirks
    ) as camera:
        assert len(seen(camera, frames=2)) == 2
        error = failure(camera.url.replace(secret, "wrong"))
    assert isinstance(error, CredentialsRefused)
    assert secret not in str(error)
