"""The steps of training as the command line calls them; each returns what to print."""

import argparse
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
from tqdm import tqdm

from contracts.clock import SystemClock
from contracts.errors import ConfigError
from contracts.frames import BgrImage, Frame, FrameHeader
from contracts.settings import Settings
from vision import encoder_weights
from vision.detect.backends.onnx_runtime import OnnxBackend
from vision.detect.encoder import EncoderDetector
from vision.detect.model_card import sha256_of
from vision.detect.registry import open_detector
from vision.detect.yolox import YoloxDetector
from vision.encoder import Encoder, EncoderShape, ObjectHead
from vision.noise import write_noise
from vision.training import calibrate, export, report, sheet
from vision.training.appearance import POSTURES, ReIdentification
from vision.training.checkpoints import parts_of
from vision.training.corpus import Corpus
from vision.training.descriptions import described_people
from vision.training.evaluate import PEOPLE, judge
from vision.training.finders import EncoderFinder, YoloxFinder
from vision.training.label import label
from vision.training.loop import CHECKPOINT_FILE, Plan, train_side_by_side
from vision.training.noise_fit import fit
from vision.training.noise_truth import recordings_of, watch
from vision.training.objects import Gatherer, train_head
from vision.training.prepare import prepare
from vision.training.report import Row
from vision.training.sources import CLASSES
from vision.training.teachers import Ensemble

SHIPPED: Final = Path(__file__).parents[1] / "weights"
SHAPE: Final = EncoderShape(classes=CLASSES, postures=POSTURES)
OBJECT_FILE: Final = "encoder.safetensors"


def prepare_corpus(arguments: argparse.Namespace) -> str:
    """Decode videos and stills into a corpus."""
    count = prepare(arguments.data, arguments.corpus)
    return f"{count} pictures in {arguments.corpus}; next: label"


def label_corpus(arguments: argparse.Namespace) -> str:
    """Have the teachers label what nobody labelled."""
    count = label(arguments.corpus, arguments.teachers, processes=arguments.processes)
    return f"{count} pictures labelled; next: train"


def train(arguments: argparse.Namespace) -> str:
    """Train backbone and detection head; goes on where it was cut off."""
    is_cpu = arguments.device == "cpu"
    ranks = arguments.ranks or ((os.cpu_count() or 1) if is_cpu else 1)
    plan = Plan(
        corpus=arguments.corpus,
        teacher=_only(arguments.teachers / "yolox_nano_coco", "*.onnx"),
        out=arguments.run,
        minutes=arguments.minutes,
        batch=arguments.batch,
        rate=arguments.rate,
        threads=1 if is_cpu else 2,
        processes=0 if is_cpu else max(1, (os.cpu_count() or 2) - 1),
        ranks=ranks,
        device=arguments.device,
        start=arguments.start,
    )
    progress = train_side_by_side(plan, SHAPE)
    return f"{progress.views} views in {progress.elapsed_s / 60:.0f} min; next: objects"


def train_objects(arguments: argparse.Namespace) -> str:
    """Train the object head (embedding, postures) on the run's encoder."""
    torch.manual_seed(0)
    encoder = Encoder(SHAPE)
    encoder.load_state_dict(parts_of(_checkpoint(arguments.run), "mean"))
    encoder.eval()
    corpus = Corpus.open(arguments.corpus)
    described = described_people(arguments.corpus, arguments.teachers)
    people = Gatherer(encoder, random=np.random.default_rng(0)).gather(corpus, described)
    head = ObjectHead(SHAPE)
    lost = train_head(head, people)
    encoder_weights.save(arguments.run / OBJECT_FILE, encoder, head)
    words = ", ".join(f"{name} {value:.3f}" for name, value in lost.items())
    return f"{len(people.features)} sights of people; losses: {words}; next: export"


def calibrate_run(arguments: argparse.Namespace) -> str:
    """Make the scores of the run's encoder mean how often they are right."""
    path = arguments.run / OBJECT_FILE
    encoder, head = encoder_weights.load(path)
    corpus = Corpus.open(arguments.corpus)
    groups = report.groups(corpus)
    samples, labels = groups[report.UPRIGHT]
    verdicts = judge(corpus, samples, EncoderFinder(encoder), labels)
    scale, shift = calibrate.fit([verdicts])
    calibrate.apply(encoder, scale, shift)
    encoder_weights.save(path, encoder, head)
    return f"logits times {scale:.3f} plus {shift:.3f}, from {len(verdicts.scores_N)} finds"


def export_run(arguments: argparse.Namespace) -> str:
    """Write the files that ship: safetensors and two ONNX graphs."""
    source = arguments.run / OBJECT_FILE
    arguments.out.mkdir(parents=True, exist_ok=True)
    encoder, head = encoder_weights.load(source)
    weights = arguments.out / OBJECT_FILE
    weights.write_bytes(source.read_bytes())
    paths = [weights, *export.export(encoder, head, arguments.out)]
    return "\n".join(
        f"{path.name}: {path.stat().st_size} bytes, sha256 {sha256_of(path)}" for path in paths
    )


def evaluate_weights(arguments: argparse.Namespace) -> str:
    """Print the table against published models on held-out places."""
    torch.set_num_threads(1)
    corpus = Corpus.open(arguments.corpus)
    encoder, head = encoder_weights.load(arguments.weights)
    yolox_file = _only(arguments.teachers / "yolox_nano_coco", "*.onnx")
    ours, theirs = EncoderFinder(encoder), YoloxFinder(yolox_file)
    rows = list(report.detection_rows(corpus, ours, theirs))
    thresholds = (rows[0].threshold, report.THRESHOLD)
    rows += report.lying_rows(corpus, ours, theirs, thresholds=thresholds)
    identify = ReIdentification(_only(arguments.teachers / "osnet_x0_25", "*.onnx"))
    identity = list(report.identity_rows(corpus, encoder, head, identify))
    posture = list(report.posture_rows(corpus, encoder, head))
    costs = list(_costs(corpus, arguments.weights, yolox_file))
    if arguments.json is not None:
        sides = report.measured([*rows, *costs], lying=report.lying_pictures(corpus))
        _write_measured(arguments.json, sides, arguments.weights, yolox_file)
    return "\n\n".join(
        [
            report.table(rows, theirs="YOLOX-nano at 416"),
            report.table(identity, theirs="osnet_x0_25"),
            report.table(posture, theirs="none"),
            report.table(costs, theirs="YOLOX-nano at 416"),
        ]
    )


def write_sheets(arguments: argparse.Namespace) -> str:
    """Render the twenty worst misses and the twenty worst false boxes of people."""
    corpus = Corpus.open(arguments.corpus)
    encoder, _ = encoder_weights.load(arguments.weights)
    find = EncoderFinder(encoder)
    samples = [item for item in corpus.part(held_out=True) if not item.source.startswith("fire/")]
    missed, false = sheet.mistakes(corpus, samples, find, PEOPLE)
    paths = []
    for name, chosen in (("missed", missed), ("false", false)):
        path = arguments.out.with_stem(f"{arguments.out.stem}-{name}")
        sheet.write(path, sheet.sheet(corpus, chosen, find, PEOPLE))
        paths.append(str(path))
    return "\n".join(paths)


def _write_measured(
    path: Path, sides: tuple[dict[str, float], dict[str, float]], weights: Path, yolox: Path
) -> None:
    """Write what the choice of the default detector goes by."""
    named = {"encoder": (sides[0], weights), "yolox_nano_coco": (sides[1], yolox)}
    content = {
        "note": "recall at equal precision on held-out places, milliseconds on one thread",
        "shipped": "encoder",
        "measured": {
            name: {**side, "sha256": sha256_of(file)} for name, (side, file) in named.items()
        },
    }
    path.write_text(json.dumps(content, indent=2) + "\n")


def _costs(corpus: Corpus, weights: Path, yolox_file: Path) -> Iterator[Row]:
    """Time the detectors as the product runs them."""
    backend = OnnxBackend(weights.with_name("encoder.onnx"), weights.with_name("objects.onnx"))
    ours = EncoderDetector(backend, confidence=0.1)
    theirs = YoloxDetector(yolox_file, confidence=0.1)
    cameras = [item for item in corpus.part(held_out=True) if not item.is_labelled]
    frames = [
        _frame(corpus.pixels(item))
        for item in cameras[:: max(1, len(cameras) // report.TIMED_PICTURES)]
    ]
    yield from report.cost_rows(
        [partial(ours.detect, [frame]) for frame in frames],
        [partial(theirs.detect, [frame]) for frame in frames],
        SystemClock(),
    )


def _frame(pixels_HW3: BgrImage) -> Frame:
    height, width = pixels_HW3.shape[:2]
    header = FrameHeader(
        camera_id="corpus",
        run_id="run",
        seq=0,
        captured_at=datetime.fromtimestamp(0, UTC),
        monotonic_s=0.0,
        width=width,
        height=height,
    )
    return Frame(header=header, pixels_HW3=pixels_HW3)


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise ConfigError(f"{folder}: no {pattern} in it; --teachers names the folder above it")
    return found[0]


def _checkpoint(run: Path) -> Path:
    path = run / CHECKPOINT_FILE
    if not path.is_file():
        raise ConfigError(f"{run}: no {CHECKPOINT_FILE}; run `train` first")
    return path


def fit_noise(arguments: argparse.Namespace) -> str:
    """Fit what the default detector does to the truth, for simulators and for facts."""
    teacher, detector = Ensemble(arguments.teachers), open_detector(Settings())
    videos = [video for folder in arguments.data for video in recordings_of(folder)]
    recordings = [watch(video, teacher, detector) for video in tqdm(videos, desc="watching")]
    model = fit(
        recordings,
        detector=f"auto ({detector.identity.name})",
        source=f"{len(videos)} recordings, {sum(map(len, recordings))} frames; truth: PicoDet-S, "
        "linked and smoothed",
    )
    write_noise(model, arguments.out)
    return f"noise of {model.objects} objects in {model.frames} frames: {arguments.out}"
