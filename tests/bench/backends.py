"""What each way to run the encoder costs on a CPU (``python -m tests.bench.backends``).

From pixels of 384 x 224 to scores, boxes and scene; one thread, all in turn in one run, processor
time. The last rows are from a frame of 640 x 360 to detections, resizing included, beside a
published detector if one is given. Prints a Markdown table.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import structlog

from contracts.frames import Frame, FrameHeader
from contracts.settings import VisionSettings
from tests.bench.__main__ import machine
from vision.detect.backends.measure import sample_picture
from vision.detect.backends.onnx_runtime import OnnxBackend
from vision.detect.backends.torch_backend import TorchBackend, open_on_cpu
from vision.detect.encoder import EncoderDetector
from vision.detect.weights import encoder_files
from vision.detect.yolox import YoloxDetector

Work = tuple[Callable[[], object], int]
"""What is run, and the frames in it."""


def works(weights: Path | None, published: Path | None) -> dict[str, Work]:
    """Return the table's rows: the first is what the others are compared with."""
    files = encoder_files(VisionSettings(detector="encoder", weights=weights))
    onnx = OnnxBackend(files.encoder, files.objects)
    batch = sample_picture()[None]
    rows: dict[str, Work] = {"ONNX Runtime": (partial(onnx.look, batch), 1)}
    for count in (4, 8):
        many = np.repeat(batch, count, axis=0)
        rows[f"ONNX Runtime, batch of {count}"] = (partial(onnx.look, many), count)
    rows["torch, compiled"] = (partial(open_on_cpu(files.weights, threads=1).look, batch), 1)
    eager = TorchBackend(files.weights, name="torch", device="cpu")
    rows["torch, as it is"] = (partial(eager.look, batch), 1)
    header = FrameHeader(
        camera_id="bench",
        run_id="bench",
        seq=0,
        captured_at=datetime(2000, 1, 1, tzinfo=UTC),
        monotonic_s=0.0,
        width=640,
        height=360,
    )
    pixels = np.asarray(cv2.resize(sample_picture(), (640, 360)), np.uint8)
    frame = Frame(header=header, pixels_HW3=pixels)
    detector = EncoderDetector(onnx, confidence=0.3)
    rows["640x360 to detections"] = (partial(detector.detect, [frame]), 1)
    if published is not None:
        other = YoloxDetector(published)
        rows[f"the same, {other.identity.name}"] = (partial(other.detect, [frame]), 1)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.backends", description=__doc__)
    parser.add_argument("--weights", type=Path, help="folder of an encoder; else the shipped one")
    parser.add_argument("--published", type=Path, help="a YOLOX in ONNX form, to compare with")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    cv2.setNumThreads(1)
    rows = works(arguments.weights, arguments.published)
    spent_ms: dict[str, list[float]] = {name: [] for name in rows}
    for number in range(arguments.rounds + 1):
        for name, (work, frames) in rows.items():
            began_s = time.process_time()
            work()
            if number:
                spent_ms[name].append(1000 * (time.process_time() - began_s) / frames)
    where = machine()
    sys.stdout.write(
        f"{where['cpu']}, one thread, commit {where['commit']}, load {where['load']:.1f}; "
        f"processor time, medians of {arguments.rounds} rounds, ratios of the same round\n\n"
        "| what | ms a frame | of ONNX Runtime |\n|---|--:|--:|\n"
    )
    first = next(iter(spent_ms.values()))
    for name, spent in spent_ms.items():
        ratio = statistics.median(ms / own for ms, own in zip(spent, first, strict=True))
        sys.stdout.write(f"| {name} | {statistics.median(spent):.2f} | {ratio:.2f} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
