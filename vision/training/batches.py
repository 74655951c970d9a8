"""Feeds the training loop: views with their targets, made in processes of their own.

Shape legend: N = views, H, W = view in pixels, A = anchor points, C = classes, D = features.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from contracts.errors import ConfigError
from vision.encoder import anchor_points
from vision.training.corpus import Corpus
from vision.training.cutouts import cut_people
from vision.training.dense_teacher import DenseTeacher
from vision.training.targets import targets
from vision.training.views import ViewMaker

SMALL: Final = ((160, 256), (192, 192), (128, 320), (192, 256))
FULL: Final = ((224, 384), (256, 320), (192, 352), (288, 288))
"""Sizes of views: parts of pictures while much is to be learnt, whole ones at the end."""


class Batch(NamedTuple):
    """Views as the student sees them, and what it should say."""

    pixels_N3HW: Tensor
    scores_NAC: Tensor
    boxes_NA4: Tensor
    features_NAD: Tensor


class Views(IterableDataset[Batch]):
    """An endless stream of batches.

    Those of one seed have the same sizes in the same order whatever their ``part``, so that
    processes that train side by side wait little for each other; what they show differs.
    """

    def __init__(
        self, corpus: Path, teacher: Path, *, count: int, seed: int, whole: bool, part: int = 0
    ) -> None:
        super().__init__()
        self._part = part
        self._corpus, self._teacher = corpus, teacher
        self._count, self._seed = count, seed
        self._sizes = FULL if whole else SMALL

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        worker = get_worker_info()
        sizes = np.random.default_rng(self._seed)
        random = np.random.default_rng([self._seed, self._part, worker.id if worker else 0])
        corpus = Corpus.open(self._corpus)
        samples = corpus.part(held_out=False)
        if not samples:
            raise ConfigError(
                f"{self._corpus}: all {len(corpus.samples)} pictures are held out; add videos of "
                "other places"
            )
        cut_from = [sample for sample in samples if sample.time_s < 3]
        maker = ViewMaker(corpus, samples, cut_people(corpus, cut_from), random=random)
        teacher = DenseTeacher(self._teacher)
        weights = _weights([sample.source for sample in samples])
        while True:
            size = self._sizes[sizes.integers(len(self._sizes))]
            chosen = random.choice(len(samples), self._count, p=weights)
            yield _batch(maker, teacher, [int(index) for index in chosen], size)


def loader(dataset: Views, *, processes: int) -> DataLoader[Batch]:
    """Return batches made in the background; 0 processes make them in this one."""
    return DataLoader(
        dataset,
        batch_size=None,
        num_workers=processes,
        prefetch_factor=6 if processes else None,
        persistent_workers=processes > 0,
    )


def _weights(sources: list[str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Weigh a source by the root of its pictures: neighbours in time teach little."""
    counts = {name: sources.count(name) for name in set(sources)}
    weights = np.array([counts[name] ** -0.5 for name in sources])
    return weights / weights.sum()  # type: ignore[no-any-return]  # numpy's stubs


def _batch(
    maker: ViewMaker, teacher: DenseTeacher, chosen: list[int], size: tuple[int, int]
) -> Batch:
    points_A3 = anchor_points(*size).numpy()
    pixels, scores, boxes, features = [], [], [], []
    for index in chosen:
        view = maker.make(index, size)
        answer = teacher(view.clear_HW3)
        scores_AC, boxes_A4 = targets(points_A3, answer, view.objects)
        pixels.append(view.dirty_HW3.transpose(2, 0, 1))
        scores.append(scores_AC)
        boxes.append(boxes_A4)
        features.append(answer.features_AD)
    return Batch(
        torch.from_numpy(np.stack(pixels)),
        torch.from_numpy(np.stack(scores)),
        torch.from_numpy(np.stack(boxes)),
        torch.from_numpy(np.stack(features)),
    )
