from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.history.sql import open_history
from api.camera_audit import CAMERA_REMOVED, KEEPING_CHANGED, MASKS_CHANGED
from api.wiring.cameras import declared_cameras
from api.wiring.context import database_url
from api.wiring.first_start import prepare, sign_in_link
from contracts.cameras import Camera
from contracts.codec import encode
from contracts.errors import ConfigError
from contracts.geometry import Zone
from contracts.settings import CameraSettings, Settings
from ingest.sources.scenes.yard_truth import demo_camera
from tests.fakes.clock import ManualClock
from tests.fakes.masked import LEFT


def settings(folder: Path, *ids: str, source: str = "") -> Settings:
    cameras = tuple(CameraSettings(id=name, url=SecretStr("rtsp://h/x")) for name in ids)
    return Settings(data_dir=folder, cameras=cameras, source=SecretStr(source))


def start(given: Settings) -> dict[str, Camera]:
    prepare(given, declared_cameras(given), ManualClock())
    history = open_history(database_url(given))
    try:
        return {camera.camera_id: camera for camera in history.cameras.cameras()}
    finally:
        history.close()


def test_without_any_camera_the_demo_camera_is_there(tmp_path: Path) -> None:
    assert set(start(settings(tmp_path))) == {"yard"}


def test_a_source_takes_the_place_of_the_demo_camera(tmp_path: Path) -> None:
    start(settings(tmp_path))
    video = tmp_path / "x.mp4"
    video.touch()

    assert set(start(settings(tmp_path, source=str(video)))) == {"source"}


@pytest.mark.parametrize(
    ("masks", "action", "before"),
    [
        pytest.param((), CAMERA_REMOVED, {"name": "Yard", "place": ""}, id="no masks"),
        pytest.param((LEFT,), MASKS_CHANGED, (LEFT,), id="its masks go with it"),
    ],
)
def test_removing_the_demo_camera_is_audited_once(
    tmp_path: Path, masks: tuple[Zone, ...], action: str, before: object
) -> None:
    start(settings(tmp_path))
    video = tmp_path / "x.mp4"
    video.touch()
    given = settings(tmp_path, source=str(video))
    history = open_history(database_url(given))
    demo = replace(demo_camera(), name="Yard", place="", masks=masks)
    history.cameras.save_camera(demo)

    start(given)
    start(given)

    [line] = history.audit.audit_lines("yard", action=action, limit=9)
    history.close()
    assert (line.by, line.how) == ("vigil", "start")
    assert encode(line.before) == encode(before)


def test_switching_recording_or_sound_in_the_settings_is_audited_once(tmp_path: Path) -> None:
    given = settings(tmp_path, "gate")
    start(given)
    told = given.cameras[0].model_copy(update={"record": True, "audio": True})
    given = given.model_copy(update={"cameras": (told,)})

    start(given)
    start(given)

    history = open_history(database_url(given))
    [line] = history.audit.audit_lines("gate", action=KEEPING_CHANGED, limit=9)
    history.close()
    assert (line.by, line.how) == ("vigil", "start")
    assert line.before == {"record": False, "audio": False}
    assert line.after == {"record": True, "audio": True}


def test_a_second_start_finds_the_cameras_and_their_versions(tmp_path: Path) -> None:
    first = start(settings(tmp_path, "gate"))
    again = start(settings(tmp_path, "gate"))
    assert again == first
    assert again["gate"].version == 1


def test_an_edit_in_the_settings_is_a_new_version(tmp_path: Path) -> None:
    start(settings(tmp_path, "gate"))
    edited = settings(tmp_path, "gate")
    edited = edited.model_copy(
        update={"cameras": (edited.cameras[0].model_copy(update={"name": "Front gate"}),)}
    )

    camera = start(edited)["gate"]

    assert (camera.name, camera.version) == ("Front gate", 2)


def test_a_file_that_is_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        start(settings(tmp_path, source=str(tmp_path / "absent.mp4")))


def test_a_sign_in_link_carries_its_secret_in_the_fragment(tmp_path: Path) -> None:
    given = settings(tmp_path)
    start(given)
    link = sign_in_link(given, ManualClock(), "http://127.0.0.1:8480")
    assert link.startswith("http://127.0.0.1:8480/sign-in#link=")
