"""Whether there is a CUDA device to ask at all; kept apart because it needs to import nothing."""

import ctypes.util
from pathlib import Path


def has_cuda_driver() -> bool:
    """Ask the system, not torch: importing torch takes seconds."""
    return ctypes.util.find_library("cuda") is not None or Path("/dev/nvidia0").exists()
