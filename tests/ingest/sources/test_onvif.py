"""ONVIF cameras from their URL to pictures: device, stream and what goes wrong between them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.settings import IngestSettings
from ingest.errors import CredentialsRefused, SourceEnded, SourceError, SourceUnavailable
from ingest.sources.onvif import describe
from ingest.sources.registry import open_source
from ingest.sources.stream import StreamReader
from tests.fakes.clips import walker_path
from tests.onvif_device import FakeProfile, OnvifServer
from tests.quirkcam import QuirkCam

SECRET = "hunter2"  # noqa: S105  # a test's
PATIENT = IngestSettings()


def camera(url: str) -> Camera:
    return Camera(camera_id="gate", source=SourceSettings(source_type=SourceType.ONVIF, url=url))


@contextmanager
def device() -> Iterator[OnvifServer]:
    """A device whose only stream is played by an RTSP server, both with a login."""
    with QuirkCam(walker_path(), user="admin", password=SECRET) as stream:
        port = stream.url.rpartition(":")[2].partition("/")[0]
        path = stream.url.rpartition(":")[2].partition("/")[2]
        # A device behind NAT: it names an address that is not its own.
        profile = FakeProfile(profile_id="p", url=f"rtsp://10.9.9.9:{port}/{path}")
        with OnvifServer(user="admin", password=SECRET, profiles=(profile,)) as server:
            yield server


def failure(url: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_source(camera(url), IngestSettings(open_timeout_s=1.0))
    assert SECRET not in str(caught.value)
    return caught.value


def test_pictures_come_from_the_stream_that_the_device_names() -> None:
    with device() as server:
        opened = open_source(camera(server.url), PATIENT)
        try:
            reader = StreamReader(opened, camera_id="gate")
            pictures = [
                frame
                for unit, _ in zip(reader.units(), range(5), strict=False)
                for frame in unit.frames
            ]
        finally:
            opened.close()

    assert reader.codec == "h264"
    assert pictures


def test_the_main_stream_of_a_device_that_has_one_stream_is_not_read_twice() -> None:
    with device() as server:
        error = failure(f"{server.url}?stream=main")

    assert isinstance(error, SourceEnded)


def test_a_wrong_password_is_told_as_such() -> None:
    with device() as server:
        error = failure(server.url.replace(SECRET, f"{SECRET}x"))

    assert isinstance(error, CredentialsRefused)
    assert "refused the credentials (401)" in error.reason


def test_a_device_that_wants_a_password_says_so() -> None:
    with device() as server:
        error = failure(f"onvif://127.0.0.1:{server.port}")

    assert "wants a user and a password" in error.reason
    assert "onvif://user:password@host" in error.reason


def test_where_nothing_listens_the_ports_of_other_brands_are_named() -> None:
    error = failure("onvif://admin:hunter2@127.0.0.1:9")

    assert isinstance(error, SourceUnavailable)
    assert "8000, 8080, 2020 or 8899" in error.reason


def test_a_description_shows_streams_without_their_login() -> None:
    with device() as server:
        found = describe(camera(server.url), PATIENT)

    assert SECRET not in repr(found)
    assert found.profiles[0].url.startswith("rtsp://***@127.0.0.1:")
