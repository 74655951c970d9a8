"""The graphs that ship answer as torch does, for any number and size of pictures."""

import warnings
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.vision.detect.encoders import SHAPE
from vision.detect.session import OnnxGraph
from vision.encoder import Encoder, EncoderShape, ObjectHead, scene_tokens
from vision.training.export import export

FloatArray = npt.NDArray[np.float32]
LOOKS = [(1, 64, 96), (2, 96, 160), (3, 224, 384), (1, 32, 32), (5, 160, 64)]


class Exported:
    """The networks and their graphs."""

    def __init__(self, folder: Path) -> None:
        torch.manual_seed(6)
        self.encoder, self.objects = Encoder(SHAPE), ObjectHead(SHAPE)
        for output in self.encoder.outputs:
            torch.nn.init.normal_(output.weight, std=0.5)  # type: ignore[arg-type]  # a Conv2d's
        with torch.no_grad():
            for _ in range(3):
                maps = self.encoder.train()(torch.rand(2, 3, 64, 96) * 255)
                self.objects.train()(maps.fine, maps.deep, torch.tensor(REGIONS[:2]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tracer, about shapes that are free
            self.paths = export(self.encoder, self.objects, folder / "new" / "weights")
        self.looking, self.describing = (OnnxGraph(path) for path in self.paths)


REGIONS = [[0.0, 8, 8, 40, 56], [0.0, 2, 3, 30, 31], [0.0, 0, 0, 32, 32]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(tmp_path_factory.mktemp("export"))


def pictures(count: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(count * height * width)
    return random.integers(0, 256, (count, height, width, 3)).astype(np.uint8)


def cosines(first: FloatArray, second: FloatArray) -> FloatArray:
    norms = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return np.asarray((first * second).sum(axis=-1) / norms, np.float32)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_look_is_the_same_as_in_torch(exported: Exported, look: tuple[int, int, int]) -> None:
    pixels = pictures(*look)
    with torch.no_grad():
        maps = exported.encoder(torch.from_numpy(pixels).permute(0, 3, 1, 2).float())
        tokens = scene_tokens(maps).numpy()

    scores, boxes, fine, deep, scene = exported.looking.run({"pixels": pixels})

    assert np.abs(scores - maps.logits_NAC.sigmoid().numpy()).max() < 1e-4
    assert np.abs(boxes - maps.boxes_NA4.numpy()).max() < 0.01
    assert fine == pytest.approx(maps.fine.numpy(), abs=1e-3)
    assert deep == pytest.approx(maps.deep.numpy(), abs=1e-3)
    assert cosines(scene, tokens).min() > 0.9999


@pytest.mark.parametrize("count", [1, 3, 17])
def test_objects_are_described_as_in_torch(exported: Exported, count: int) -> None:
    regions = np.array((REGIONS * 6)[:count], np.float32)
    pixels = torch.from_numpy(pictures(2, 64, 96)).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        maps = exported.encoder(pixels)
        wanted, scores = exported.objects(maps.fine, maps.deep, torch.from_numpy(regions))

    embeddings, postures = exported.describing.run(
        {"fine": maps.fine.numpy(), "deep": maps.deep.numpy(), "regions": regions}
    )

    assert embeddings.shape == (count, SHAPE.embedding)
    assert cosines(embeddings, wanted.numpy()).min() > 0.9999
    assert postures == pytest.approx(scores.softmax(dim=1).numpy(), abs=1e-4)


def test_postures_are_probabilities(exported: Exported) -> None:
    with torch.no_grad():
        maps = exported.encoder(torch.zeros(1, 3, 64, 64))
    feeds = {"fine": maps.fine.numpy(), "deep": maps.deep.numpy()}

    _, postures = exported.describing.run(feeds | {"regions": np.array(REGIONS, np.float32)})

    assert postures.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_both_files_carry_the_names_and_sizes(exported: Exported) -> None:
    for graph in (exported.looking, exported.describing):
        assert msgspec.json.decode(graph.metadata["encoder"], type=EncoderShape) == SHAPE


def test_the_files_are_named_as_the_product_looks_for_them(exported: Exported) -> None:
    assert [path.name for path in exported.paths] == ["encoder.onnx", "objects.onnx"]
    assert {path.name for path in exported.paths[0].parent.iterdir()} == {
        "encoder.onnx",
        "objects.onnx",
    }
