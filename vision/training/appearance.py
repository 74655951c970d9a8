"""Teachers of what a person looks like: re-identification and posture.

Shape legend: H, W = picture in pixels, 3 = blue, green, red, D = 512, 17 = COCO's body points.
"""

import importlib
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped]  # the package has no types

from contracts.errors import ConfigError
from contracts.frames import BgrImage

FloatArray = npt.NDArray[np.float32]

POSTURES: Final = ("upright", "bent", "sitting", "lying")
IMAGENET_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_SPREAD: Final = np.array([0.229, 0.224, 0.225], np.float32)
POSE_SIZE: Final = 192
POSE_MARGIN: Final = 0.15
LEAST_POINT: Final = 0.25
"""A body point with a lower score is not used."""
SHOULDERS, HIPS, KNEES, ANKLES = (5, 6), (11, 12), (13, 14), (15, 16)
UPRIGHT_DEGREES: Final = 28.0
LYING_DEGREES: Final = 62.0
SITTING_DROP: Final = 0.45
"""Who sits has knees that are lower than the hips by less than this share of the trunk."""


class ReIdentification:
    """OSNet: a unit vector of 512 numbers for a person's picture (Zhou et al. 2019)."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def __call__(self, person_HW3: BgrImage) -> FloatArray:
        """Return the vector, shape (D,)."""
        fitted = cv2.resize(person_HW3, (128, 256), interpolation=cv2.INTER_LINEAR)
        rgb = fitted[..., ::-1].astype(np.float32) / 255
        batch = ((rgb - IMAGENET_MEAN) / IMAGENET_SPREAD).transpose(2, 0, 1)[None]
        vector = self._session.run(None, {self._input: np.ascontiguousarray(batch)})[0][0]
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


class Pose:
    """MoveNet: 17 body points of one person."""

    def __init__(self, path: Path) -> None:
        """Load the model; raises ConfigError if the package for such files is missing."""
        try:
            interpreter = importlib.import_module("ai_edge_litert.interpreter")
        except ImportError as error:
            raise ConfigError(
                "posture labels need the package ai-edge-litert: pip install ai-edge-litert"
            ) from error
        self._model: Any = interpreter.Interpreter(model_path=str(path), num_threads=1)
        self._model.allocate_tensors()
        self._input = self._model.get_input_details()[0]["index"]
        self._output = self._model.get_output_details()[0]["index"]

    def __call__(self, person_HW3: BgrImage) -> FloatArray:
        """Return y, x in pixels of the picture and score of each point, shape (17, 3)."""
        height, width = person_HW3.shape[:2]
        side = max(height, width)
        square = np.zeros((side, side, 3), np.uint8)
        square[:height, :width] = person_HW3[..., ::-1]
        fitted = cv2.resize(square, (POSE_SIZE, POSE_SIZE), interpolation=cv2.INTER_AREA)
        self._model.set_tensor(self._input, np.asarray(fitted[None], np.uint8))
        self._model.invoke()
        points = np.array(self._model.get_tensor(self._output)[0, 0], np.float32)
        return points * np.array([side, side, 1], np.float32)


def posture_of(points_17x3: FloatArray) -> str | None:
    """Name a posture from body points; None where they do not say.

    The trunk's angle against the vertical decides between upright, bent and lying; upright with
    knees at the height of the hips is sitting.
    """
    shoulders, hips = _middle(points_17x3, SHOULDERS), _middle(points_17x3, HIPS)
    knees = _middle(points_17x3, KNEES)
    if shoulders is None or hips is None or knees is None:
        return None
    down, across = hips - shoulders
    trunk = float(np.hypot(down, across))
    angle = float(np.degrees(np.arctan2(abs(across), down)))
    legs_down, legs_across = knees - hips
    legs_angle = float(np.degrees(np.arctan2(abs(legs_across), legs_down)))
    if angle > LYING_DEGREES and legs_angle > LYING_DEGREES:
        return "lying"
    if angle < UPRIGHT_DEGREES and legs_down < SITTING_DROP * trunk:
        return "sitting"
    if angle < UPRIGHT_DEGREES and legs_angle < UPRIGHT_DEGREES:
        return "upright"
    if UPRIGHT_DEGREES + 8 < angle < 110 and legs_angle < 45:
        return "bent"
    return None


def _middle(points_17x3: FloatArray, pair: tuple[int, int]) -> FloatArray | None:
    found = [points_17x3[index, :2] for index in pair if points_17x3[index, 2] >= LEAST_POINT]
    return np.asarray(np.mean(found, axis=0), np.float32) if found else None
