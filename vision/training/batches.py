"""Feeds the training loop: views with their targets, made in processes of their own.

Shape legend: N = views, H, W = view in pixels, A = anchor points, C = classes, D = features.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from contracts.errors import ConfigError
from vision.encoder import anchor_points
from vision.training.corpus import Corpus, Sample
from vision.training.cutouts import cut_people
from vision.training.dense_teacher import DenseTeacher
from vision.training.echoes import Echoes, Taught
from vision.training.targets import targets
from vision.training.views import ViewMaker, worn

SMALL: Final = ((160, 256), (192, 192), (128, 320), (192, 256))
FULL: Final = ((224, 384), (256, 320), (192, 352), (288, 288))
"""Sizes of views: parts of pictures while much is to be learnt, whole ones at the end."""
STILL_SHARE: Final = 0.5
"""Weight of a labelled still, of a picture of a video."""


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
        weights = _weights(samples)

        def fresh(size: tuple[int, int]) -> Taught:
            return _taught(maker, teacher, int(random.choice(len(samples), p=weights)), size)

        echoes = Echoes(fresh, random=random)
        while True:
            size = self._sizes[sizes.integers(len(self._sizes))]
            yield _batch(echoes.take(self._count, size), random)


def loader(dataset: Views, *, processes: int) -> DataLoader[Batch]:
    """Return batches made in the background; 0 processes make them in this one."""
    return DataLoader(
        dataset,
        batch_size=None,
        num_workers=processes,
        prefetch_factor=6 if processes else None,
        persistent_workers=processes > 0,
    )


def _weights(samples: Sequence[Sample]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Weigh a source by the root of its pictures: neighbours in time teach little.

    Stills count half: the encoder is used on what cameras see.
    """
    counts = Counter(sample.source for sample in samples)
    weights = np.array(
        [
            counts[sample.source] ** -0.5 * (STILL_SHARE if sample.is_labelled else 1.0)
            for sample in samples
        ]
    )
    return weights / weights.sum()  # type: ignore[no-any-return]  # numpy's stubs


def _taught(maker: ViewMaker, teacher: DenseTeacher, index: int, size: tuple[int, int]) -> Taught:
    view = maker.make(index, size)
    answer = teacher(view.clear_HW3)
    scores_AC, boxes_A4 = targets(anchor_points(*size).numpy(), answer, view.objects)
    return Taught(view.clear_HW3, scores_AC.astype(np.float16), boxes_A4, answer.features_AD)


def _batch(views: Sequence[Taught], random: np.random.Generator) -> Batch:
    shown = [view.mirrored() if random.random() < 0.5 else view for view in views]
    dirty = [worn(view.clear_HW3, random).transpose(2, 0, 1) for view in shown]
    return Batch(
        torch.from_numpy(np.stack(dirty)),
        torch.from_numpy(np.stack([view.scores_AC for view in shown]).astype(np.float32)),
        torch.from_numpy(np.stack([view.boxes_A4 for view in shown])),
        torch.from_numpy(np.stack([view.features_AD for view in shown])),
    )
