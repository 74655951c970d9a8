"""Trains the encoder that ships, step by step.

    python -m vision.training prepare  --data FOLDER... --corpus C    decode videos and stills
    python -m vision.training label    --corpus C --teachers T        teachers label them
    python -m vision.training train    --corpus C --teachers T --run R --minutes 100
    python -m vision.training objects  --corpus C --teachers T --run R   embedding and postures
    python -m vision.training calibrate --corpus C --run R            scores that mean something
    python -m vision.training export   --run R --out vision/weights   the files that ship
    python -m vision.training evaluate --corpus C --teachers T        the table, held-out places
    python -m vision.training fight    --data FOLDER --out F.safetensors   the fight score
    python -m vision.training noise    --data FOLDER --teachers T --out vision/weights/noise.json
    python -m vision.training sheet    --corpus C --out page.png      the worst mistakes

Every step can be cut off and begun again; train goes on from its checkpoint. T is a folder with
the published models yolox_nano_coco, picodet_s_416, osnet_x0_25 and movenet_lightning.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from contracts.errors import VigilError
from vision.training import fights, steps

COMMANDS: Final[dict[str, tuple[Callable[[argparse.Namespace], str], tuple[str, ...]]]] = {
    "prepare": (steps.prepare_corpus, ("data", "corpus")),
    "label": (steps.label_corpus, ("corpus", "teachers", "processes")),
    "train": (
        steps.train,
        ("corpus", "teachers", "run", "minutes", "device", "ranks", "batch", "rate", "start"),
    ),
    "objects": (steps.train_objects, ("corpus", "teachers", "run")),
    "calibrate": (steps.calibrate_run, ("corpus", "run")),
    "export": (steps.export_run, ("run", "out")),
    "evaluate": (steps.evaluate_weights, ("corpus", "teachers", "weights", "json")),
    "fight": (fights.fit_fights, ("data", "quiet", "out")),
    "noise": (steps.fit_noise, ("data", "teachers", "out")),
    "sheet": (steps.write_sheets, ("corpus", "weights", "out")),
}
OPTIONS: Final[dict[str, dict[str, object]]] = {
    "data": {
        "type": Path,
        "nargs": "+",
        "required": True,
        "help": "folders of videos or labelled stills",
    },
    "quiet": {
        "type": Path,
        "nargs": "+",
        "default": [],
        "help": "folders of videos in which nobody fights, such as an ordinary day of your cameras",
    },
    "corpus": {"type": Path, "required": True, "help": "folder of the prepared pictures"},
    "teachers": {"type": Path, "required": True, "help": "folder of the published models"},
    "run": {"type": Path, "required": True, "help": "folder of checkpoint and log"},
    "out": {"type": Path, "required": True, "help": "where to write"},
    "weights": {
        "type": Path,
        "default": steps.SHIPPED / "encoder.safetensors",
        "help": "encoder.safetensors to look at (default: the shipped ones)",
    },
    "json": {"type": Path, "help": "also write what the default detector is chosen by"},
    "minutes": {"type": float, "default": 100.0, "help": "training time in all (default 100)"},
    "device": {"choices": ["cpu", "cuda"], "default": "cpu", "help": "default cpu"},
    "ranks": {
        "type": int,
        "default": 0,
        "help": "processes that train side by side (default: one a core on a CPU, else one)",
    },
    "start": {
        "type": Path,
        "help": "encoder.safetensors to go on from, for instance the shipped ones (default: none)",
    },
    "rate": {
        "type": float,
        "default": 1.5e-3,
        "help": "highest learning rate (default 0.0015; less where weights exist)",
    },
    "batch": {"type": int, "default": 16, "help": "views in a step (default 16)"},
    "processes": {"type": int, "default": 2, "help": "that label side by side (default 2)"},
}


def main(arguments: list[str] | None = None) -> int:
    """Run one step; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m vision.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="STEP")
    for name, (action, options) in COMMANDS.items():
        command = commands.add_parser(name, help=(action.__doc__ or "").splitlines()[0])
        for option in options:
            command.add_argument(f"--{option}", **OPTIONS[option])  # type: ignore[arg-type]  # argparse's own words
        command.set_defaults(action=action)
    chosen = parser.parse_args(arguments)
    try:
        sys.stdout.write(f"{chosen.action(chosen)}\n")
    except VigilError as error:
        sys.stderr.write(f"vision.training: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
