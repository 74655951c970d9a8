"""``vigil models``: list, fetch, check and time detectors."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Never

from tqdm import tqdm

from api.console import complain, say
from api.model_bench import (
    is_encoder_shipped,
    make_detectors,
    read_pictures,
    settings_of_model,
)
from api.model_download import MOST_BYTES, Downloader, Progress, RemoteFile
from api.model_pull import pull, require_free_name
from api.model_sources import HUB, UNKNOWN_LICENCE, PullPlan, make_plan
from contracts.cameras import redact_url
from contracts.clock import SystemClock
from contracts.errors import ConfigError, TransportUnavailable, VigilError
from contracts.settings import Settings
from vision.detect.catalog import CATALOG, find_entry
from vision.detect.model_card import write_card
from vision.detect.model_folder import (
    InstalledModel,
    check_files,
    find_installed,
    installed_models,
    models_folder,
)
from vision.detect.model_trial import Trial, measure, try_detector
from vision.detect.registry import make_detector

_NO_SUM: Final = {
    "shipped": "-", "installed": "-", "by hand": "at 'verify'", "to pull": "at first pull",
}  # fmt: skip
"""Where a checksum is not known: when it will be."""
_DESCRIPTION: Final = """\
Detectors that others have published, besides those that came with Vigil. They are fetched into
the data folder once; detection itself never goes online.

  vigil models list                            what there is, and what is here
  vigil models pull dfine_nano                 fetch a model of the catalog
  vigil models pull hf:OWNER/REPO@REVISION     fetch any detector for transformers from the hub
  vigil models pull https://.../yolox_s.onnx   fetch a YOLOX (ONNX) from anywhere
  vigil models verify                          are the files what they were, and do they work?
  vigil models benchmark --video yard.mp4      what does a frame cost with each?

What pull prints at its end is what the settings must say for Vigil to use the model.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    parser.description = _DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what came along, what is known, what is installed")
    listing.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    _add_pull(actions.add_parser("pull", help="fetch a model into the data folder"))
    verify = actions.add_parser(
        "verify",
        help="checksums, and one look at a grey picture",
        description="Hold installed models to their recorded checksums, open each and let it look "
        "at a grey picture. A folder that was copied by hand is recorded at its first look.",
    )
    verify.add_argument("names", nargs="*", metavar="NAME", help="models; all of them if none")
    verify.add_argument("--json", action="store_true", help="one JSON list instead of lines")
    bench = actions.add_parser(
        "benchmark",
        help="milliseconds of one frame on one thread",
        description="Time detectors on the same frames, each once in every round, on one thread, "
        "resizing included.",
    )
    bench.add_argument(
        "names", nargs="*", metavar="NAME",
        help="installed models, 'motion', 'encoder' or FAMILY=PATH; all that is here if none",
    )  # fmt: skip
    bench.add_argument("--video", type=Path, metavar="FILE", help="frames of it, not of the yard")
    bench.add_argument("--frames", type=int, default=40, help="frames of a round (40)")
    bench.add_argument("--rounds", type=int, default=3, help="rounds that are counted (3)")
    bench.add_argument("--json", action="store_true", help="one JSON list instead of a table")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked; 1 if a model is not well."""
    actions: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
        "list": _list,
        "pull": _pull,
        "verify": _verify,
        "benchmark": _benchmark,
    }
    return actions[arguments.action](arguments, settings)


def _add_pull(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Fetch a model over https. A download that breaks off goes on where it stopped when the\n"
        "command is given again. Pickles (.pt, .pth, .bin, .pkl) are refused: they can run code\n"
        "when they are opened. The checksum is held to the catalog's or to --sha256; otherwise it\n"
        "is measured, written down, and held from then on."
    )
    parser.add_argument(
        "model", metavar="MODEL", help="NAME, hf:OWNER/REPO@REVISION or https://..."
    )
    parser.add_argument("--name", default="", help="what to call it here")
    parser.add_argument("--sha256", default="", metavar="HEX", help="checksum of its weights")
    parser.add_argument("--hub", default=HUB, metavar="URL", help=f"a mirror instead of {HUB}")
    parser.add_argument(
        "--max-bytes", type=int, default=MOST_BYTES, metavar="N", help="largest file (4 GB)"
    )
    parser.add_argument("--force", action="store_true", help="replace a model of the same name")


def _list(arguments: argparse.Namespace, settings: Settings) -> int:
    rows = _rows(installed_models(settings.data_dir))
    if arguments.json:
        say(json.dumps(rows, indent=2))
        return 0
    _print_table(
        ("name", "state", "family", "licence", "size", "input", "sha256", "source"),
        [
            (
                row["name"], row["state"], row["family"], row["licence"], _megabytes(row["size"]),
                row["input"] or "-", row["sha256"][:12] or _NO_SUM[row["state"]], row["source"],
            )
            for row in rows
        ],
    )  # fmt: skip
    say(f"\ninstalled models lie in {models_folder(settings.data_dir)}")
    return 0


def _rows(installed: Sequence[InstalledModel]) -> list[dict[str, Any]]:
    rows = [_row("motion", "shipped", "motion", source="a program, needs no weights")]
    if is_encoder_shipped():
        rows.append(_row("encoder", "shipped", "encoder", source="trained by this project"))
    for model in installed:
        card = model.card
        entry = find_entry(model.name)
        row = _row(
            model.name,
            "installed" if card else "by hand",
            model.family or "unknown",
            source=card.source if card else str(model.folder),
        )
        row["licence"] = card.licence if card else UNKNOWN_LICENCE
        row["size"] = model.size_bytes
        row["sha256"] = card.sha256.get(card.weights or "model.safetensors", "") if card else ""
        row["input"] = "x".join(map(str, entry.input_size)) if entry else ""
        rows.append(row)
    here = {model.name for model in installed}
    for entry in CATALOG:
        if entry.name not in here:
            row = _row(entry.name, "to pull", entry.family, source=entry.source)
            row["licence"] = entry.licence
            row["size"] = entry.size_bytes
            row["sha256"] = "".join(entry.sha256.values())
            row["input"] = "x".join(map(str, entry.input_size))
            rows.append(row)
    return rows


def _row(name: str, state: str, family: str, *, source: str) -> dict[str, Any]:
    return {
        "name": name, "state": state, "family": family, "licence": "as Vigil", "size": None,
        "input": "", "sha256": "", "source": source,
    }  # fmt: skip


def _pull(arguments: argparse.Namespace, settings: Settings) -> int:
    clock = SystemClock()
    downloader = Downloader(clock=clock, most_bytes=arguments.max_bytes)
    try:
        plan = make_plan(
            arguments.model,
            name=arguments.name,
            sha256=arguments.sha256,
            hub=arguments.hub,
            read_text=downloader.read_text,
        )
        if not arguments.force:
            require_free_name(plan, settings.data_dir)
        _announce(plan)
        model = pull(
            plan,
            settings.data_dir,
            downloader=downloader,
            progress_of=_progress_of,
            accept=lambda fetched: _accept(fetched, settings),
            clock=clock,
        )
    except TransportUnavailable as error:
        raise TransportUnavailable(f"{error}\n{_by_hand(arguments, settings)}") from error
    finally:
        downloader.close()
    say(f"{model.folder} is ready. To use it:")
    say(f"  VIGIL_VISION__DETECTOR={model.family} VIGIL_VISION__WEIGHTS={model.weights}")
    return 0


def _announce(plan: PullPlan) -> None:
    size = f", {_megabytes(plan.size_bytes)}" if plan.size_bytes else ""
    revision = f" at {plan.revision[:12]}" if plan.revision else ""
    complain(f"{plan.name}: {plan.family}{size}, from {plan.source}{revision}")
    if plan.licence == UNKNOWN_LICENCE:
        complain("licence: the publisher states none here; ask before you rely on it")
    else:
        complain(f"licence: {plan.licence}")


def _accept(fetched: InstalledModel, settings: Settings) -> None:
    """Open what was fetched; what only lacks a package or a names file is kept."""
    try:
        trial = _look(fetched, settings)
    except ConfigError as error:
        final = fetched.folder.with_name(fetched.name)
        reason = str(error).replace(str(fetched.folder), str(final))
        complain(f"{fetched.name}: fetched, but not opened yet: {reason}")
    else:
        complain(f"{fetched.name}: opens, {trial.labels} classes")


def _by_hand(arguments: argparse.Namespace, settings: Settings) -> str:
    """Return what to do on a machine without a connection."""
    entry = find_entry(arguments.model)
    source = entry.source if entry else arguments.model
    if source.startswith("hf:"):
        repository, _, revision = source.removeprefix("hf:").partition("@")
        files = "config.json, preprocessor_config.json and model.safetensors"
        place = f"{files} of {arguments.hub}/{repository}/tree/{revision or 'main'}"
    else:
        place = redact_url(source)
    name = arguments.name or (entry.name if entry else "NAME")
    folder = models_folder(settings.data_dir).absolute() / name
    return (
        f"without a connection: fetch {place} on another machine, copy into {folder}/ and run "
        f"'vigil models verify {name}'"
    )


def _progress_of(file: RemoteFile) -> Progress:
    bar: tqdm[Never] = tqdm(
        desc=file.name, unit="B", unit_scale=True, disable=not sys.stderr.isatty(), leave=False
    )

    def progress(done: int, total: int | None) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    return progress


def _verify(arguments: argparse.Namespace, settings: Settings) -> int:
    results = [
        _verified(model, settings) for model in find_installed(settings.data_dir, arguments.names)
    ]
    if arguments.json:
        say(json.dumps(results, indent=2))
    else:
        for result in results:
            say(f"{'ok    ' if result['ok'] else 'FAILED'}  {result['name']}: {result['found']}")
        if not results:
            say(f"no models in {models_folder(settings.data_dir)}")
    return 0 if all(result["ok"] for result in results) else 1


def _verified(model: InstalledModel, settings: Settings) -> dict[str, Any]:
    try:
        card = check_files(model)
        trial = _look(model, settings)
        if model.card is None:
            write_card(model.folder, card)
    except VigilError as error:
        return {"name": model.name, "ok": False, "found": str(error)}
    found = (
        f"{len(card.sha256)} file(s) as recorded, {trial.labels} classes, {trial.boxes} box(es) "
        f"on a grey picture in {trial.took_ms:.0f} ms"
    )
    return {"name": model.name, "ok": True, "found": found}


def _look(model: InstalledModel, settings: Settings) -> Trial:
    vision = settings_of_model(model.family, model.weights, settings)
    return try_detector(make_detector(vision), clock=SystemClock())


def _benchmark(arguments: argparse.Namespace, settings: Settings) -> int:
    for name in ("frames", "rounds"):
        if not 1 <= getattr(arguments, name) <= 10_000:
            raise ConfigError(f"--{name} must be in 1..10000, got {getattr(arguments, name)}")
    detectors = make_detectors(arguments.names, settings)
    pictures = read_pictures(arguments.video, count=arguments.frames, settings=settings)
    timings = measure(detectors, pictures, rounds=arguments.rounds, clock=SystemClock())
    if arguments.json:
        say(json.dumps([asdict(timing) for timing in timings], indent=2))
        return 0
    height, width = pictures[0].shape[:2]
    _print_table(
        ("detector", "median ms", "p90 ms", "boxes"),
        [
            (found.name, f"{found.median_ms:.2f}", f"{found.p90_ms:.2f}", f"{found.boxes:.1f}")
            for found in timings
        ],
    )
    say(f"\n{len(pictures)} frames of {width}x{height}, {arguments.rounds} rounds, 1 thread")
    return 0


def _print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[index]) for row in [titles, *rows]) for index in range(len(titles))]
    for row in [titles, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        say("  ".join(cells).rstrip())


def _megabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.1f} MB"
