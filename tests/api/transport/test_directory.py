from api.transport.connection import RedisClient
from api.transport.directory import RedisCameraDirectory
from contracts.cameras import Camera, CameraState, CameraStatus, SourceSettings, SourceType
from tests.fakes.builders import scene
from tests.fakes.clock import START


def test_cameras_come_back_as_they_were_published(client: RedisClient) -> None:
    camera = Camera(
        camera_id="gate",
        source=SourceSettings(source_type=SourceType.RTSP, url="rtsp://u:p@host/x"),
        scene=scene(),
    )
    directory = RedisCameraDirectory(client)
    assert directory.cameras() == ()

    directory.publish_cameras([camera])

    assert directory.cameras() == (camera,)


def test_a_status_is_read_back_and_expires(client: RedisClient) -> None:
    directory = RedisCameraDirectory(client)
    status = CameraStatus(
        camera_id="gate", state=CameraState.SEEING, phase="live", updated_at=START
    )
    directory.publish_status(status)

    assert directory.status("gate") == status
    assert client.ttl("vigil:{gate}:status") > 0
    assert directory.status("other") is None
