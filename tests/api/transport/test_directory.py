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


def test_an_ingest_process_sees_the_cameras_of_its_group_alone(client: RedisClient) -> None:
    directory = RedisCameraDirectory(client)
    source = SourceSettings(source_type=SourceType.FILE, url="x.mp4")
    directory.publish_cameras([Camera(camera_id=name, source=source) for name in ("a", "b", "c")])
    assert RedisCameraDirectory(client, group=1).cameras() == []

    directory.publish_groups({"a": 1, "b": 2})

    seen = {
        group: [camera.camera_id for camera in RedisCameraDirectory(client, group=group).cameras()]
        for group in (1, 2, 3, None)
    }
    assert seen == {1: ["a"], 2: ["b"], 3: [], None: ["a", "b", "c"]}
