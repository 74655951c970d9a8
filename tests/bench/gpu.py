"""What the encoder does on a CUDA device (``make bench-gpu``).

Images a second and latency of a batch at every batch size, from pixels in this machine's memory to
scores and boxes in it; the share of the peak is that of a bf16 product of 8192 x 8192 matrices in
the same run. Prints Markdown; without a device one line and a row that says so.
"""

import argparse
import platform
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import structlog
import torch
from torch.utils.flop_counter import FlopCounterMode

from contracts.frames import Frame, FrameHeader
from contracts.settings import VisionSettings
from tests.bench.__main__ import machine
from vision.detect.backends.measure import agreement, sample_picture
from vision.detect.backends.onnx_runtime import OnnxBackend
from vision.detect.backends.torch_backend import BUDGETS, TorchBackend, open_on_cuda
from vision.detect.backends.torch_network import open_network
from vision.detect.encoder import EncoderDetector
from vision.detect.weights import EncoderFiles, encoder_files

HEADER: Final = (
    "| batch | images/s | share of peak | batch p50, ms | p99, ms | cameras at 5 fps |\n"
    "|--:|--:|--:|--:|--:|--:|"
)
SIDE: Final = 8192
WARM_UP_S: Final = 1.0
"""Before anything is timed: an idle card runs at a fraction of its clock."""
CAMERA_FPS: Final = 5.0


def peak_flops(repeats: int = 20) -> float:
    """Return operations a second of a bf16 product of square matrices of random numbers."""
    first, second = (torch.randn(SIDE, SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    product = torch.empty_like(first)
    until_s = time.perf_counter() + WARM_UP_S
    while time.perf_counter() < until_s:
        torch.mm(first, second, out=product)
        torch.cuda.synchronize()
    times_s = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        began_s = time.perf_counter()
        torch.mm(first, second, out=product)
        torch.cuda.synchronize()
        times_s.append(time.perf_counter() - began_s)
    return 2 * SIDE**3 / statistics.median(times_s)


def network_flops(weights: Path) -> int:
    """Return the operations of one look at a picture of 384 x 224."""
    looking, _, _ = open_network(weights, dtype=torch.float32)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        looking(torch.from_numpy(sample_picture()[None]))
    return int(counter.get_total_flops())


def row(backend: TorchBackend, budget: int, *, peak: float, flops: int, seconds: float) -> str:
    """Measure one batch size for so long."""
    batch = np.stack([sample_picture()] * budget)
    times_s: list[float] = []
    for _ in range(10):
        backend.look(batch)
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        began_s = time.perf_counter()
        backend.look(batch)
        times_s.append(time.perf_counter() - began_s)
    rate = budget * len(times_s) / sum(times_s)
    p50, p99 = (1000 * float(np.percentile(times_s, share)) for share in (50, 99))
    return (
        f"| {budget} | {rate:.0f} | {100 * rate * flops / peak:.2f} % | {p50:.2f} | {p99:.2f} | "
        f"{rate / CAMERA_FPS:.0f} |"
    )


def whole_rate(backend: TorchBackend, *, seconds: float) -> float:
    """Return frames a second from 640x360 to detections, resizing on one CPU thread included."""
    detector = EncoderDetector(backend, confidence=0.3)
    pixels = np.zeros((360, 640, 3), np.uint8)
    pixels[:224, :384] = sample_picture()
    frames = [
        Frame(
            header=FrameHeader(
                camera_id=f"cam{number}",
                run_id="bench",
                seq=0,
                captured_at=datetime(2000, 1, 1, tzinfo=UTC),
                monotonic_s=0.0,
                width=640,
                height=360,
            ),
            pixels_HW3=pixels,
        )
        for number in range(backend.batch_frames)
    ]
    detector.detect(frames)
    count, began_s = 0, time.perf_counter()
    while time.perf_counter() - began_s < seconds:
        detector.detect(frames)
        count += len(frames)
    return count / (time.perf_counter() - began_s)


def measure(files: EncoderFiles, *, seconds: float) -> list[str]:
    """Return the lines to print."""
    backend = open_on_cuda(files.weights)
    agreed = agreement(OnnxBackend(files.encoder, files.objects), backend)
    peak, flops = peak_flops(), network_flops(files.weights)
    return [
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}, Python "
        f"{platform.python_version()}, commit {machine()['commit']}; peak measured "
        f"{peak / 1e12:.0f} TFLOP/s, one look {flops / 1e9:.2f} GFLOP",
        "",
        HEADER,
        *(
            row(backend, budget, peak=peak, flops=flops, seconds=seconds)
            for budget in BUDGETS
            if budget <= backend.batch_frames
        ),
        "",
        f"From frames of 640x360 to detections: {whole_rate(backend, seconds=seconds):.0f} a "
        "second, one CPU thread.",
        f"Parity with ONNX Runtime on the CPU: {'holds' if agreed.is_good else 'DOES NOT HOLD'} "
        f"(cosine {agreed.cosine:.5f}, boxes within {agreed.box_px:.2f} px).",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-gpu", description=__doc__)
    parser.add_argument("--weights", type=Path, help="folder of an encoder; else the shipped one")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row (3)")
    parser.add_argument("--table", type=Path, help="write the table here as well")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    if torch.cuda.is_available():
        files = encoder_files(VisionSettings(detector="encoder", weights=arguments.weights))
        lines = measure(files, seconds=arguments.seconds)
    else:
        sys.stderr.write("make bench-gpu: torch finds no CUDA device; nothing was measured\n")
        lines = [HEADER, "| no GPU at hand | - | - | - | - | - |"]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if arguments.table:
        arguments.table.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
