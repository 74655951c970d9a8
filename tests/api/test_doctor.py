import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from api.doctor import Check, CheckState, _shared_memory, examine, is_healthy
from contracts.settings import QueueSettings, Settings, VisionSettings
from tests.vision.detect.encoders import write_encoder
from tests.vision.detect.onnx_files import write_constant_model
from tests.vision.detect.standings import pull_yolox, row, ship, write_measured


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def found(settings: Settings, name: str) -> Check:
    [check] = [check for check in examine(settings) if check.name == name]
    return check


def test_this_machine_is_fit(tmp_path: Path) -> None:
    assert is_healthy(examine(Settings(data_dir=tmp_path)))


@pytest.mark.parametrize(
    ("limit_mb", "folder", "state", "words"),
    [
        (100, "", CheckState.OK, "6.2 MB a camera of 640x360, room for 16 more"),
        (5, "", CheckState.NOTE, "room for no more"),
        (100, "absent", CheckState.NOTE, "frames go as JPEG"),
        (0, "absent", CheckState.OK, "off by the settings"),
    ],
)
def test_shared_memory_is_told_with_its_room(
    tmp_path: Path, limit_mb: int, folder: str, state: CheckState, words: str
) -> None:
    queue = QueueSettings(shared_memory_mb=limit_mb, shared_memory_folder=tmp_path / folder)

    check = _shared_memory(queue)

    assert check.state is state
    assert words in check.found


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


def test_the_shipped_weights_are_named_with_what_they_measured(
    encoder_folder: Path, tmp_path: Path
) -> None:
    shipped = shutil.copytree(encoder_folder, tmp_path / "weights")
    write_measured(shipped, encoder=row(0.6, ms=13.0), yolox_nano_coco=row(0.4, ms=26.0))

    checks = examine(Settings(data_dir=tmp_path), shipped=shipped)

    [check] = [check for check in checks if check.name == "detector"]
    assert check.state is CheckState.OK
    assert check.found.startswith("encoder: the weights that came with Vigil: encoder (finds 0.60")
    assert "no better were yolox_nano_coco (finds 0.40 of upright people" in check.found
    assert check.remedy == ""
    assert "ms a frame of 640x360" in " ".join(check.found for check in checks)


def test_a_better_detector_is_named_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    shipped = ship(tmp_path / "weights", encoder=row(0.4), yolox_nano_coco=row(0.6, sha256="ab"))

    checks = examine(Settings(data_dir=tmp_path), shipped=shipped)

    [check] = [check for check in checks if check.name == "detector"]
    assert check.remedy == "vigil models pull yolox_nano_coco"


def test_a_better_detector_that_was_pulled_is_the_one_at_work(tmp_path: Path) -> None:
    _, sha256 = pull_yolox(tmp_path)
    shipped = ship(tmp_path / "weights", encoder=row(0.4), yolox_nano_coco=row(0.6, sha256=sha256))

    checks = examine(Settings(data_dir=tmp_path), shipped=shipped)

    [check] = [check for check in checks if check.name in ("detector", "encoder")]
    assert check.found.startswith("yolox_nano_coco: measured better than the weights that came")


def test_missing_shipped_weights_are_noted_with_what_stands_in(tmp_path: Path) -> None:
    checks = examine(Settings(data_dir=tmp_path), shipped=tmp_path / "none")

    [check] = [check for check in checks if check.name == "detector"]
    assert check.state is CheckState.NOTE
    assert check.found.startswith("motion: there are no weights in ")
    assert "restore the weights" in check.remedy


def test_motion_that_was_asked_for_is_noted_with_what_knows_more(tmp_path: Path) -> None:
    vision = VisionSettings(detector="motion")
    check = found(Settings(data_dir=tmp_path, vision=vision), "detector")
    assert check.state is CheckState.NOTE
    assert check.remedy == "VIGIL_VISION__DETECTOR=auto"


def of_encoder(folder: Path, data_dir: Path, **changes: object) -> Settings:
    vision = {"detector": "encoder", "weights": folder, **changes}
    return Settings(data_dir=data_dir, vision=VisionSettings.model_validate(vision))


def test_the_encoder_says_its_weights_its_backend_and_what_a_frame_costs(
    encoder_folder: Path, tmp_path: Path
) -> None:
    settings = of_encoder(encoder_folder, tmp_path, backend="onnxruntime")
    sha256 = hashlib.sha256((encoder_folder / "encoder.onnx").read_bytes()).hexdigest()

    check = found(settings, "encoder")

    assert check.state is CheckState.OK
    assert check.found.startswith(f"your own weights {sha256[:12]}, onnxruntime: vision.backend")
    assert "ms a frame of 640x360" in found(settings, "encoder in onnxruntime").found


def test_the_encoder_is_compared_with_a_published_detector_that_was_pulled(
    encoder_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models" / "yolox_nano_coco"
    folder.mkdir(parents=True)
    nobody = np.zeros((1, 84, 6), np.float32)
    write_constant_model(folder / "yolox_nano.onnx", nobody)

    check = found(of_encoder(encoder_folder, tmp_path), "encoder")

    assert "of YOLOX-nano's time" in check.found


def test_damaged_weights_of_the_encoder_fail_with_what_to_do(
    encoder_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(encoder_folder, tmp_path / "weights")
    (folder / "encoder.onnx").write_bytes(b"cut off")

    check = found(of_encoder(folder, tmp_path), "encoder")

    assert check.state is CheckState.FAILED
    assert "encoder.onnx" in check.found
    assert "fetch the weights again" in check.remedy


def test_an_unknown_time_zone_fails(tmp_path: Path) -> None:
    check = found(Settings(data_dir=tmp_path, time_zone="Mars/Olympus"), "time zone")
    assert check.state is CheckState.FAILED
