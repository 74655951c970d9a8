from dataclasses import replace

from alerts.history.ports import AuditLine
from alerts.history.sql import History
from contracts.cameras import Camera, RtspTransport, SourceSettings, SourceType
from tests.fakes.builders import scene
from tests.fakes.clock import START


def camera(camera_id: str = "gate") -> Camera:
    return Camera(
        camera_id=camera_id,
        name="Gate",
        place="north",
        tags=("outdoor",),
        source=SourceSettings(
            source_type=SourceType.RTSP,
            url="rtsp://user:secret@camera.example/stream",
            transport=RtspTransport.UDP,
        ),
        scene=scene(),
    )


def test_a_camera_comes_back_whole(history: History) -> None:
    history.cameras.save_camera(camera())

    assert history.cameras.camera("gate") == camera()
    assert history.cameras.camera("other") is None


def test_saving_replaces(history: History) -> None:
    history.cameras.save_camera(camera())

    history.cameras.save_camera(replace(camera(), name="North gate", version=2))

    assert [item.name for item in history.cameras.cameras()] == ["North gate"]


def test_cameras_are_listed_by_id_in_the_order_of_their_bytes(history: History) -> None:
    for camera_id in ("b", "a-b", "a_b", "a1"):
        history.cameras.save_camera(camera(camera_id))

    listed = [item.camera_id for item in history.cameras.cameras()]

    assert listed == ["a-b", "a1", "a_b", "b"]


def line(number: int, subject: str = "gate") -> AuditLine:
    return AuditLine(
        at=START,
        by="admin",
        how="link",
        action="camera.masks",
        subject=subject,
        before=[],
        after=[{"zone_id": f"z{number}"}],
    )


def test_audit_lines_are_kept_with_the_change_newest_first(history: History) -> None:
    for number in range(3):
        history.cameras.save_camera(replace(camera(), version=number), line=line(number))
    history.cameras.save_camera(camera("other"), line=line(9, "other"))

    assert history.audit.audit_lines("gate", action="camera.masks", limit=2) == [line(2), line(1)]
    assert history.audit.audit_lines("gate", action="camera.other", limit=9) == []


def test_lines_of_all_actions_stand_in_one_order(history: History) -> None:
    history.cameras.save_camera(camera(), line=line(1))
    look = replace(line(2), action="recording.read", before=None)
    history.audit.add_line(look)
    history.audit.add_line(line(9, "other"))

    assert history.audit.audit_lines("gate", action="", limit=9) == [look, line(1)]
    assert history.audit.audit_lines("gate", action="recording.read", limit=9) == [look]


def test_a_removal_that_removes_nothing_leaves_no_line(history: History) -> None:
    history.cameras.remove_camera("gate", line=line(1))
    assert history.audit.audit_lines("gate", action="camera.masks", limit=9) == []

    history.cameras.save_camera(camera())
    history.cameras.remove_camera("gate", line=line(2))

    assert history.audit.audit_lines("gate", action="camera.masks", limit=9) == [line(2)]


def test_a_camera_is_removed_once(history: History) -> None:
    history.cameras.save_camera(camera())

    assert history.cameras.remove_camera("gate")
    assert not history.cameras.remove_camera("gate")
    assert history.cameras.cameras() == []
