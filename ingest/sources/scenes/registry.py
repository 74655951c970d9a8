"""Which synthetic scenes there are."""

from collections.abc import Callable
from functools import cache
from typing import Final

from ingest.sources.scenes.scene import Scene
from ingest.sources.scenes.yard import YardScene
from ingest.sources.scenes.yard_truth import SCENE_NAME

SCENES: Final[dict[str, Callable[[], Scene]]] = {SCENE_NAME: YardScene}


@cache
def load_scene(name: str) -> Scene:
    """Return the scene of that name, drawn once a process: scenes keep no state.

    Raises:
        KeyError: There is none.
    """
    return SCENES[name]()
