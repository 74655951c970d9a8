import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.__main__ import main
from ingest.sources.synthetic import record_scene
from tests.fakes.file_server import FileServer, serve_files
from tests.vision.detect.onnx_files import write_constant_model
from tests.vision.detect.tiny_models import write_transformers_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with serve_files(tmp_path_factory.mktemp("tls")) as server:
        yield server


@pytest.fixture(scope="module")
def yolox(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A YOLOX that finds nothing."""
    path = tmp_path_factory.mktemp("onnx") / "tiny.onnx"
    return write_constant_model(path, np.zeros((1, 84, 6), np.float32)).read_bytes()


@pytest.fixture
def server(running: FileServer, yolox: bytes, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """A server with a YOLOX at ``/tiny.onnx``, trusted through the environment."""
    running.files = {"/tiny.onnx": yolox}
    running.etags, running.redirects, running.statuses, running.cut_after = {}, {}, {}, {}
    running.requests.clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(running.authority))
    return running


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIGIL_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def publish(server: FileServer, folder: Path, repository: str) -> None:
    """Offer a folder as a hub does."""
    names = [path.name for path in folder.iterdir()]
    answer = {
        "sha": COMMIT,
        "siblings": [{"rfilename": name} for name in names],
        "cardData": {"license": "apache-2.0"},
    }
    server.files[f"/api/models/{repository}/revision/main"] = json.dumps(answer).encode()
    for name in names:
        path = f"/{repository}/resolve/{COMMIT}/{name}"
        server.files[f"/cdn/{name}"] = (folder / name).read_bytes()
        server.redirects[path] = f"{server.url}/cdn/{name}?signature=hunter2"


def models(*arguments: str) -> int:
    return main(["models", *arguments])


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return answer


def test_list_names_what_came_along_and_what_is_known(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models("list") == 0

    printed = capsys.readouterr().out
    assert "motion           shipped" in printed
    assert "yolox_nano_coco  to pull  yolox" in printed
    assert "Apache-2.0" in printed
    assert str(data_dir / "models") in printed


def test_a_model_is_pulled_verified_listed_and_used(
    server: FileServer, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models("pull", f"{server.url}/tiny.onnx") == 0

    told = capsys.readouterr()
    folder = data_dir / "models" / "tiny"
    assert "licence: the publisher states none here" in told.err
    assert "tiny: opens, 1 classes" in told.err
    assert f"VIGIL_VISION__DETECTOR=yolox VIGIL_VISION__WEIGHTS={folder}/tiny.onnx" in told.out
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "tiny.onnx"]
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]

    assert models("verify") == 0
    assert "ok      tiny: 1 file(s) as recorded, 1 classes" in capsys.readouterr().out

    assert models("list", "--json") == 0
    [row] = [row for row in rows(capsys) if row["name"] == "tiny"]
    assert (row["state"], row["family"]) == ("installed", "yolox")
    assert row["sha256"] == hashlib.sha256(server.files["/tiny.onnx"]).hexdigest()

    assert models("benchmark", "tiny", "motion", "--frames", "3", "--rounds", "1", "--json") == 0
    timings = rows(capsys)
    assert [timing["name"] for timing in timings] == ["tiny", "motion"]
    assert all(0 < timing["median_ms"] <= timing["p90_ms"] for timing in timings)


def test_a_detector_of_the_hub_is_pulled_at_its_commit(
    server: FileServer, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(server, write_transformers_model(tmp_path / "published", "d_fine"), "owner/repo")

    assert models("pull", "hf:owner/repo", "--hub", server.url, "--name", "gate") == 0

    told = capsys.readouterr()
    assert f"gate: transformers, from hf:owner/repo at {COMMIT[:12]}" in told.err
    assert "licence: apache-2.0" in told.err
    assert "hunter2" not in told.err + told.out
    card = json.loads((data_dir / "models" / "gate" / "model.json").read_text())
    assert (card["revision"], card["licence"]) == (COMMIT, "apache-2.0")
    assert set(card["sha256"]) == {"config.json", "preprocessor_config.json", "model.safetensors"}
    assert models("verify", "gate") == 0


def test_what_was_damaged_since_is_found(
    server: FileServer, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models("pull", f"{server.url}/tiny.onnx") == 0
    file = data_dir / "models" / "tiny" / "tiny.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    capsys.readouterr()

    assert models("verify") == 1
    assert "FAILED  tiny: " in capsys.readouterr().out


def test_another_checksum_leaves_nothing_behind(
    server: FileServer, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models("pull", f"{server.url}/tiny.onnx", "--sha256", "0" * 64) == 2

    assert "the file was changed or damaged on its way" in capsys.readouterr().err
    assert list(data_dir.rglob("*.onnx*")) == []


def test_what_is_no_model_does_not_get_its_name(
    server: FileServer, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files["/tiny.onnx"] = b"<html>please sign in</html>"

    assert models("pull", f"{server.url}/tiny.onnx") == 2

    assert "not a model that ONNX Runtime can load" in capsys.readouterr().err
    assert list((data_dir / "models").iterdir()) == []


def test_a_download_that_broke_off_is_finished_by_the_same_command(
    server: FileServer, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sum_ = hashlib.sha256(server.files["/tiny.onnx"]).hexdigest()
    command = ("pull", f"{server.url}/tiny.onnx", "--sha256", sum_)
    server.statuses["/tiny.onnx"] = 503
    assert models(*command) == 2
    assert "answers 503, try again later" in capsys.readouterr().err
    assert list((data_dir / "models").iterdir()) == [], "nothing has arrived"
    server.statuses.clear()
    server.cut_after["/tiny.onnx"] = [500, 0, 0, 0]
    assert models(*command) == 2
    assert "500 bytes have arrived, the same command goes on" in capsys.readouterr().err
    server.requests.clear()

    assert models(*command) == 0
    assert server.requests == [("/tiny.onnx", "bytes=500-")]


def test_a_name_that_is_taken_needs_force(
    server: FileServer, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"{server.url}/tiny.onnx"
    assert models("pull", address) == 0
    assert models("pull", address) == 2
    assert "--force fetches it again" in capsys.readouterr().err

    assert models("pull", address, "--force") == 0
    assert [path.name for path in (data_dir / "models").iterdir()] == ["tiny"]


def test_offline_says_where_to_put_the_files(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nobody listens on discard

    assert models("pull", "dfine_nano") == 2

    told = capsys.readouterr().err
    assert "vigil models: no connection to huggingface.co" in told
    assert "model.safetensors of https://huggingface.co/ustc-community/dfine-nano-coco/tree" in told
    assert f"copy into {data_dir}/models/dfine_nano/ and run 'vigil models verify dfine_n" in told
    assert not (data_dir / "models" / "dfine_nano").exists()


def test_a_model_that_was_copied_by_hand_is_recorded_when_it_works(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data_dir / "models" / "gate"
    folder.mkdir(parents=True)
    (folder / "m.onnx").write_bytes(b"cut off")
    assert models("verify", "gate") == 1
    assert not (folder / "model.json").exists(), "what does not work is not held to itself"

    write_constant_model(folder / "m.onnx", np.zeros((1, 84, 6), np.float32))
    assert models("verify", "gate") == 0
    assert json.loads((folder / "model.json").read_text())["source"] == "copied by hand"


def test_verify_of_nothing_says_so(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert models("verify") == 0
    assert f"no models in {data_dir / 'models'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pull", "crystal_ball"), "is no model of the catalog"),
        (("pull", "https://site/m.pth"), "are pickles"),
        (("verify", "gate"), "no model 'gate'"),
        (("benchmark", "gate"), "no model 'gate'"),
        (("benchmark", "crystal=x"), "'crystal' is no detector family"),
        (("benchmark", "motion", "--frames", "0"), r"--frames must be in 1..10000, got 0"),
        (("benchmark", "motion", "--video", "absent.mp4"), "--video absent.mp4: "),
    ],
)
def test_what_cannot_work_is_refused_with_words(
    arguments: tuple[str, ...], message: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models(*arguments) == 2
    assert message in capsys.readouterr().err


def test_benchmark_reads_a_video_and_a_model_by_its_path(
    data_dir: Path, tmp_path: Path, yolox: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    video, weights = tmp_path / "yard.mp4", tmp_path / "m.onnx"
    record_scene(video, duration_s=1.0)
    weights.write_bytes(yolox)

    code = models("benchmark", f"yolox={weights}", "--video", str(video), "--rounds", "1")

    assert code == 0
    printed = capsys.readouterr().out
    assert f"yolox={weights}" in printed
    assert "1 rounds, 1 thread" in printed


@pytest.mark.data
def test_the_published_yolox_passes_from_a_copied_folder(
    shared: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data_dir / "models" / "yolox_nano_coco"
    folder.mkdir(parents=True)
    shutil.copy(shared / "weights" / "yolox_nano_coco" / "yolox_nano.onnx", folder)

    assert models("verify", "yolox_nano_coco") == 0
    assert "80 classes, 0 box(es) on a grey picture" in capsys.readouterr().out
