"""One batch size of the network as a CUDA graph: recorded once, replayed for every batch.

A network of this size is over before Python has launched its kernels one by one; a replay launches
them all at once.
"""

from typing import Final

import torch

from contracts.frames import BgrImage
from vision.detect.backends.torch_network import Looking, Seen

WARM_UP_RUNS: Final = 3
"""Before recording: libraries measure their algorithms and make room in them."""


class GraphRunner:
    """Runs batches of one size. The answer is good until the next run.

    Pixels cross the bus as bytes, from pinned memory; everything else happens on the device.
    """

    def __init__(
        self, looking: Looking, size: tuple[int, int, int], *, device: torch.device
    ) -> None:
        """Record the network.

        Args:
            looking: On the device.
            size: Pictures, height and width.
            device: A CUDA device.

        Raises:
            RuntimeError: As torch raises it, for instance when the device's memory is full.
        """
        self._pinned = torch.empty((*size, 3), dtype=torch.uint8, pin_memory=True)
        self._pixels = torch.zeros((*size, 3), dtype=torch.uint8, device=device)
        side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch's own gap
        side.wait_stream(torch.cuda.current_stream(device))
        search = torch.backends.cudnn.flags(enabled=True, benchmark=True)
        with torch.cuda.stream(side), torch.no_grad(), search:
            for _ in range(WARM_UP_RUNS):
                looking(self._pixels)
        torch.cuda.current_stream(device).wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.no_grad(), torch.cuda.graph(self._graph):
            self._seen: Seen = looking(self._pixels)

    def run(self, pixels_NHW3: BgrImage) -> Seen:
        """Start the network on a batch of this size; the answer is on the device."""
        # The batch before was waited for, so that nobody reads the pinned memory any more.
        self._pinned.copy_(torch.from_numpy(pixels_NHW3))
        self._pixels.copy_(self._pinned, non_blocking=True)
        self._graph.replay()
        return self._seen
