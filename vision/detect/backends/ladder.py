"""Keeps the encoder running when its device fails: smaller batches first, the CPU at last."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from vision.detect.backends.port import DeviceFull, DeviceLost, EncoderBackend
from vision.metrics import BACKEND_BATCH, BACKEND_FALLBACKS

log = structlog.get_logger()

ItemT = TypeVar("ItemT")
AnswerT = TypeVar("AnswerT")


class BackendLadder:
    """Runs work on a backend, and steps down where its device cannot do it.

    A device without memory gets half the batch, down to a single picture; then, or at once if the
    device is lost, ``last`` takes over for good. What was being worked on is worked on again, so
    that every item is answered once. It does not climb up again: memory that somebody else takes
    would fail again in the middle of work. A restart begins at the top.
    """

    def __init__(
        self, first: EncoderBackend, last: Callable[[], EncoderBackend] | None = None
    ) -> None:
        """Begin with ``first``.

        Args:
            first: Runs as long as it can.
            last: Makes what goes on after it, for instance on the CPU; None lets errors out.
        """
        self._last = last
        self.backend = first
        self.batch_frames = first.batch_frames
        BACKEND_BATCH.labels(backend=first.name).set(self.batch_frames)

    def run(
        self,
        items: Sequence[ItemT],
        work: Callable[[EncoderBackend, Sequence[ItemT]], Sequence[AnswerT]],
    ) -> list[AnswerT]:
        """Return the answers to all items, in order.

        Args:
            items: Any number.
            work: Answers up to ``batch_frames`` items.

        Raises:
            ModelError: As ``work`` raises it, for anything but a device that can be replaced.
        """
        answers: list[AnswerT] = []
        while len(answers) < len(items):
            batch = items[len(answers) : len(answers) + self.batch_frames]
            try:
                answers += work(self.backend, batch)
            except DeviceFull as error:
                if len(batch) > 1:
                    self._shrink(len(batch) // 2, error)
                else:
                    self._replace(error)
            except DeviceLost as error:
                self._replace(error)
        return answers

    def _shrink(self, batch_frames: int, cause: DeviceFull) -> None:
        self.batch_frames = batch_frames
        name = self.backend.name
        BACKEND_FALLBACKS.labels(backend=name, to="smaller batches").inc()
        BACKEND_BATCH.labels(backend=name).set(batch_frames)
        log.warning(
            "device out of memory, going on with smaller batches",
            backend=name,
            batch_frames=batch_frames,
            cause=str(cause),
        )

    def _replace(self, cause: DeviceFull | DeviceLost) -> None:
        if self._last is None:
            raise cause
        name = self.backend.name
        self.backend, self._last = self._last(), None
        self.batch_frames = self.backend.batch_frames
        BACKEND_FALLBACKS.labels(backend=name, to=self.backend.name).inc()
        BACKEND_BATCH.labels(backend=name).set(0)
        BACKEND_BATCH.labels(backend=self.backend.name).set(self.batch_frames)
        log.error(
            "device given up, going on with another backend until the next start",
            backend=name,
            to=self.backend.name,
            cause=str(cause),
        )
