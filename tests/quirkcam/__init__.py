"""A camera with every bad habit that real ones were seen to have."""

from tests.quirkcam.camera import QuirkCam
from tests.quirkcam.quirks import Quirks

__all__ = ["QuirkCam", "Quirks"]
