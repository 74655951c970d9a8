import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.rules_file import dump_rules
from api.wiring.cameras import (
    SOURCE_CAMERA_ID,
    declared_cameras,
    default_rules,
    load_rules,
    parse_source,
    rules_beside,
)
from contracts.cameras import SourceType
from contracts.errors import ConfigError
from contracts.settings import CameraSettings, Settings
from tests.fakes.builders import scene


def settings(*cameras: CameraSettings, source: str = "") -> Settings:
    return Settings(cameras=cameras, source=SecretStr(source))


def declared(camera_id: str, url: str = "rtsp://u:p@h/x") -> CameraSettings:
    return CameraSettings(id=camera_id, url=SecretStr(url))


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("rtsp://h/x", SourceType.RTSP),
        ("clips/yard.mp4", SourceType.FILE),
        ("synthetic:yard", SourceType.SYNTHETIC),
        ("onvif://u:p@h", SourceType.ONVIF),
        ("usb:/dev/video0", SourceType.USB),
        ("/dev/video1", SourceType.USB),
    ],
)
def test_a_source_is_known_by_its_form(url: str, kind: SourceType) -> None:
    assert parse_source(url).source_type is kind


def test_an_unsupported_scheme_is_named_and_its_secrets_are_not() -> None:
    with pytest.raises(ConfigError, match="scheme 'ftp' is not supported") as raised:
        parse_source("ftp://u:hunter2@h/x")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("url", ["onvif://u:hunter2@", "onvif://u:hunter2@h?x=1", "usb:/dev/sda"])
def test_a_device_whose_address_does_not_fit_is_told_what_fits(url: str) -> None:
    with pytest.raises(ConfigError, match="wanted") as raised:
        parse_source(url)
    assert "hunter2" not in str(raised.value)


def test_a_camera_by_onvif_is_watched_by_its_sub_stream_and_kept_by_its_main_one() -> None:
    source = parse_source("onvif://u:p@h")

    assert source.evidence_url == "onvif://u:p@h?stream=main"


def test_a_camera_without_rules_gets_the_default_ones() -> None:
    [camera] = declared_cameras(settings(declared("gate")))
    assert camera.scene == default_rules()


def test_two_cameras_of_one_id_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"\['gate'\] stand more than once"):
        declared_cameras(settings(declared("gate"), declared("gate")))


def test_rules_beside_a_file_are_taken(tmp_path: Path) -> None:
    video = tmp_path / "yard.mp4"
    (tmp_path / "yard.rules.json").write_text(json.dumps(dump_rules(scene())))
    [camera] = declared_cameras(settings(source=str(video)))
    assert camera.camera_id == SOURCE_CAMERA_ID
    assert camera.scene == scene()
    assert rules_beside(tmp_path / "other.mp4") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such rules file"),
        ("{", "not valid JSON: .* line 1"),
        ("[]", "must be a JSON obj"),
    ],
)
def test_a_rules_file_that_cannot_be_used_says_why(
    tmp_path: Path, text: str | None, message: str
) -> None:
    file = tmp_path / "x.rules.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_rules(file)
