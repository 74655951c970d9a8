"""The encoder on the CPU in ONNX Runtime: needs no torch, starts in a fraction of a second."""

from pathlib import Path
from typing import Final

import numpy as np

from contracts.errors import ModelError
from contracts.frames import BgrImage
from vision.detect.backends.port import (
    NAMES_KEY,
    EncoderNames,
    FloatArray,
    Look,
    check_description,
    check_look,
    read_names,
)
from vision.detect.fitting import GREY
from vision.detect.session import OnnxGraph

LOOKED: Final = ("scores", "boxes", "fine", "deep", "scene")
DESCRIBED: Final = ("embeddings", "postures")
_CPU: Final = ("CPUExecutionProvider",)
_PROBE: Final = (1, 32, 64)
"""Pictures, height and width of the batch that is looked at on loading."""


class OnnxBackend:
    """Both graphs in sessions of their own. A batch brings nothing here: one picture at a time."""

    name = "onnxruntime"
    batch_frames = 1

    def __init__(self, encoder: Path, objects: Path, *, threads: int = 1) -> None:
        """Load both files and look at an empty picture.

        Args:
            encoder: ``encoder.onnx``, as ``vision/training/export.py`` writes it.
            objects: ``objects.onnx``, likewise.
            threads: Of one inference.

        Raises:
            ModelError: A file is missing, damaged or no part of an encoder, or the two do not
                belong together.
        """
        self._where = str(encoder)
        self._objects_where = str(objects)
        self._encoder = _load(encoder, threads, inputs=("pixels",), outputs=LOOKED)
        self._objects = _load(
            objects, threads, inputs=("fine", "deep", "regions"), outputs=DESCRIBED
        )
        self.names: EncoderNames = read_names(
            self._encoder.metadata.get(NAMES_KEY), where=self._where
        )
        theirs = read_names(self._objects.metadata.get(NAMES_KEY), where=self._objects_where)
        if theirs != self.names:
            raise ModelError(
                f"{objects}: belongs to another encoder than {encoder}: it has {theirs}, wanted "
                f"{self.names}"
            )
        self.sha256 = self._encoder.sha256
        probe = self.look(np.full((*_PROBE, 3), GREY, np.uint8))
        probe.describe(np.array([[0, 0, 0, *_PROBE[:0:-1]]], np.float32))

    def look(self, pixels_NHW3: BgrImage) -> Look:
        """See ``EncoderBackend.look``; any number of pictures will do."""
        scores, boxes, fine, deep, scene = self._encoder.run({"pixels": pixels_NHW3})

        def describe(regions_K5: FloatArray) -> tuple[FloatArray, FloatArray]:
            embeddings, postures = self._objects.run(
                {"fine": fine, "deep": deep, "regions": regions_K5}
            )
            check_description(embeddings, postures, self.names, where=self._objects_where)
            return embeddings, postures

        look = Look(scores_NAC=scores, boxes_NA4=boxes, scene_NSD=scene, describe=describe)
        count, height, width = pixels_NHW3.shape[:3]
        check_look(look, self.names, size=(count, height, width), where=self._where)
        return look


def _load(
    path: Path, threads: int, *, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> OnnxGraph:
    graph = OnnxGraph(path, threads=threads, providers=_CPU)
    found = tuple(item.name for item in graph.inputs), tuple(item.name for item in graph.outputs)
    if found != (inputs, outputs):
        raise ModelError(
            f"{path}: no part of an encoder of Vigil's: inputs and outputs must be {inputs} and "
            f"{outputs}, got {found[0]} and {found[1]}"
        )
    return graph
