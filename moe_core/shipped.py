"""The weights that ship, and what the reasoner that uses them is called. Needs no torch."""

from pathlib import Path
from typing import Final

CORE: Final = "core"
SHIPPED: Final = Path(__file__).parent / "weights" / "core.safetensors"


def beside(weights: Path) -> Path:
    """Return where the trust of a file of weights lies."""
    return weights.with_name(f"{weights.stem}.trust.safetensors")
