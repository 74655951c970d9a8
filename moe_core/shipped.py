"""The weights that ship, and what the reasoner that uses them is called. Needs no torch."""

from pathlib import Path
from typing import Final

CORE: Final = "core"
SHIPPED: Final = Path(__file__).parent / "weights" / "core.safetensors"
