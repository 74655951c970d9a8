from pathlib import Path

from pydantic import SecretStr

from api.doctor import Check, CheckState, examine, is_healthy
from contracts.settings import Settings, VisionSettings


def found(settings: Settings, name: str) -> Check:
    [check] = [check for check in examine(settings) if check.name == name]
    return check


def test_this_machine_is_fit(tmp_path: Path) -> None:
    assert is_healthy(examine(Settings(data_dir=tmp_path)))


def test_an_absent_redis_fails_and_keeps_the_password(tmp_path: Path) -> None:
    url = SecretStr("redis://:hunter2@127.0.0.1:1/0")
    check = found(Settings(data_dir=tmp_path, redis_url=url), "Redis")
    assert check.state is CheckState.FAILED
    assert "unset VIGIL_REDIS_URL" in check.remedy
    assert "hunter2" not in repr(check)


def test_missing_weights_fail_and_name_the_setting(tmp_path: Path) -> None:
    vision = VisionSettings(detector="yolox", weights=tmp_path / "none.onnx")
    check = found(Settings(data_dir=tmp_path, vision=vision), "detector")
    assert check.state is CheckState.FAILED
    assert "VIGIL_VISION__WEIGHTS" in check.remedy


def test_an_unknown_time_zone_fails(tmp_path: Path) -> None:
    check = found(Settings(data_dir=tmp_path, time_zone="Mars/Olympus"), "time zone")
    assert check.state is CheckState.FAILED
