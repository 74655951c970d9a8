"""How every part of a picture moved since the one before, the camera's own shake taken off.

Shape legend: H, W = pixels of the reduced picture, 2 = right and down.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage

Luma = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

STEP_S: Final = 0.2
"""Flow is stated as it would be over so long."""
FIELD_SIZE: Final = (240, 180)
"""Largest width and height of the picture that is compared, in pixels."""
GRID: Final = 8
"""The camera's own motion is fitted to every eighth flow vector each way."""
_FIT_ROUNDS: Final = 4
_FIT_SOFTNESS: Final = 0.25
"""Squared pixels: what moves by more than half a pixel otherwise hardly counts in the fit."""
_SAME_STEP_S: Final = 0.01
SHAKE_PIXELS: Final = 0.25
"""A camera that moved by less stood still; its picture is compared as it is."""
CHANGED_LEVELS: Final = 10.0
MOVED_LEVELS: Final = 5.0
MOVED_PIXELS: Final = 1.5
"""A pixel moved if its grey level changed by ten, or by five where the flow went this far."""


class MotionField(NamedTuple):
    """What moved between two pictures.

    Attributes:
        right_HW, down_HW: Flow in pixels over ``STEP_S``, without the camera's own motion.
        pace_HW: Length of the flow.
        change_HW: Change of grey level, 0 to 255, camera and light taken off.
        unexplained_HW: What remains of the change after every part is moved along its flow:
            limbs that turn, appear and vanish.
        moved_HW: Where something moved.
        shake: How far the camera's own motion took the picture at most, in pixels.
    """

    right_HW: Floats
    down_HW: Floats
    pace_HW: Floats
    change_HW: Floats
    unexplained_HW: Floats
    moved_HW: Mask
    shake: float

    @property
    def width(self) -> int:
        """Of the reduced picture, in pixels."""
        return int(self.moved_HW.shape[1])


class FlowReader:
    """Compares two pictures of one size. Holds the work space of the flow; nothing is remembered.

    Source: dense inverse search (Kroeger et al. 2016), OpenCV's fastest preset. The flow of
    limbs between frames 0.2 s apart is rough; that it is rough there and smooth on walkers is
    what counts.
    """

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)

    def read(self, before_HW: Luma, after_HW: Luma, *, step_s: float = STEP_S) -> MotionField:
        """Return how ``before_HW`` became ``after_HW`` within ``step_s``."""
        raw_HW2 = np.asarray(self._flow.calc(before_HW, after_HW, None), np.float32)  # type: ignore[call-overload]  # None asks for a new array
        right_HW, down_HW = cv2.split(raw_HW2)
        camera_HW2, shake = camera_motion(raw_HW2)
        if camera_HW2 is not None:
            right_HW, down_HW = right_HW - camera_HW2[..., 0], down_HW - camera_HW2[..., 1]
        if abs(step_s - STEP_S) > _SAME_STEP_S:
            right_HW, down_HW = right_HW * (STEP_S / step_s), down_HW * (STEP_S / step_s)
        before = cv2.blur(before_HW, (3, 3)).astype(np.float32)
        after = cv2.blur(after_HW, (3, 3)).astype(np.float32)
        still = after if camera_HW2 is None else _moved_back(after, camera_HW2)
        light = float(np.median((still - before)[::4, ::4]))
        before += light
        change_HW = cv2.absdiff(still, before)
        pace_HW = cv2.magnitude(right_HW, down_HW)
        moved_HW = (change_HW > CHANGED_LEVELS) | (
            (pace_HW > MOVED_PIXELS) & (change_HW > MOVED_LEVELS)
        )
        return MotionField(
            right_HW=np.asarray(right_HW, np.float32),
            down_HW=np.asarray(down_HW, np.float32),
            pace_HW=np.asarray(pace_HW, np.float32),
            change_HW=np.asarray(change_HW, np.float32),
            unexplained_HW=np.asarray(cv2.absdiff(_moved_back(after, raw_HW2), before), np.float32),
            moved_HW=moved_HW,
            shake=shake,
        )


def field_picture(pixels_HW3: BgrImage) -> Luma:
    """Return the grey picture that is compared: at most ``FIELD_SIZE``, of the same shape."""
    height, width = pixels_HW3.shape[:2]
    scale = min(1.0, FIELD_SIZE[0] / width, FIELD_SIZE[1] / height)
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    small = cv2.resize(pixels_HW3, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def camera_motion(flow_HW2: Floats) -> tuple[Floats | None, float]:
    """Return the flow of the scene as a whole: shift, zoom, turn and shear, moving things apart.

    Also the longest of it in pixels; below ``SHAKE_PIXELS`` the camera stood still, and the flow
    is None.
    """
    height, width = flow_HW2.shape[:2]
    x_W = (np.arange(width, dtype=np.float32) - width / 2) / width
    y_H = (np.arange(height, dtype=np.float32) - height / 2) / width
    y, x = np.meshgrid(y_H[GRID // 2 :: GRID], x_W[GRID // 2 :: GRID], indexing="ij")
    places_K3 = np.stack([np.ones(x.size, np.float32), x.ravel(), y.ravel()], axis=1)
    seen_K2 = flow_HW2[GRID // 2 :: GRID, GRID // 2 :: GRID].reshape(-1, 2)
    off_K2 = seen_K2 - np.median(seen_K2, axis=0)
    fitted_32 = np.zeros((3, 2), np.float32)
    for _ in range(_FIT_ROUNDS + 1):
        weights_K1 = 1 / (1 + (off_K2**2).sum(axis=1, keepdims=True) / _FIT_SOFTNESS) ** 2
        weighted_CK = (places_K3 * weights_K1).T
        fitted_32 = np.linalg.solve(
            weighted_CK @ places_K3 + 1e-6 * np.eye(3, dtype=np.float32), weighted_CK @ seen_K2
        ).astype(np.float32)
        off_K2 = seen_K2 - places_K3 @ fitted_32
    shake = float(np.abs(places_K3 @ fitted_32).max())
    if shake <= SHAKE_PIXELS:
        return None, shake
    camera_HW2 = np.asarray(
        fitted_32[0] + x_W[None, :, None] * fitted_32[1] + y_H[:, None, None] * fitted_32[2],
        np.float32,
    )
    return camera_HW2, shake


def _moved_back(after_HW: Floats, flow_HW2: Floats) -> Floats:
    """Return the later picture with every part where it was before."""
    height, width = after_HW.shape
    x_HW = flow_HW2[..., 0] + np.arange(width, dtype=np.float32)
    y_HW = flow_HW2[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(
        cv2.remap(after_HW, x_HW, y_HW, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )
