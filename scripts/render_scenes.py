"""Renders the synthetic scenes as labelled stills, in the form that training reads.

python -m scripts.render_scenes FOLDER [--count 160]

The labels are exact: they come from the scene's script, not from a detector. Objects that are
mostly hidden by others are labelled all the same, as the script knows nothing of hiding.
"""

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import cv2

from ingest.sources.scenes.registry import load_scene
from ingest.sources.scenes.yard_truth import SCENE_NAME, yard_truth

CLASSES: Final = ("person", "car", "bag")
STEP_S: Final = 0.85
"""Not a divisor of the script's loop: a longer run shows other moments of it."""
START: Final = datetime(2026, 6, 1, 10, tzinfo=UTC)


def render(folder: Path, *, count: int) -> int:
    """Write pictures and labels; return the number of labelled objects."""
    scene = load_scene(SCENE_NAME)
    target = folder / "images" / SCENE_NAME
    (target / "images").mkdir(parents=True, exist_ok=True)
    images = []
    sides = (scene.width, scene.height) * 2
    for number in range(count):
        time_s = number * STEP_S
        pixels = scene.picture(
            round(time_s * scene.fps), shown_at=START + timedelta(minutes=7 * number)
        )
        name = f"{number:05d}.jpg"
        cv2.imwrite(str(target / "images" / name), pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])
        boxes = [
            [
                *(round(side * size, 1) for side, size in zip(item.box, sides, strict=True)),
                item.label,
            ]
            for item in yard_truth(round(time_s * scene.fps) / scene.fps)
        ]
        images.append({"file": name, "width": scene.width, "height": scene.height, "boxes": boxes})
    content = {
        "set": SCENE_NAME,
        "origin": "rendered by this project",
        "licence": "this project's",
        "complete_for": list(CLASSES),
        "use": "train",
        "images": images,
    }
    (target / "labels.json").write_text(json.dumps(content, indent=1))
    return sum(len(image["boxes"]) for image in images)


def main() -> int:
    """Render into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=160, help="pictures (default 160)")
    chosen = parser.parse_args()
    objects = render(chosen.folder, count=chosen.count)
    sys.stdout.write(f"{chosen.count} pictures with {objects} objects in {chosen.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
