"""Trains the object head on a frozen encoder: who somebody is and how he holds himself.

The encoder looks at each picture in several guises (light, mirror, turned by 90 degrees); the
features of every person are kept, and a small network learns from them: the embedding so that it
tells people apart as the re-identification teacher does, whatever the guise, and postures as the
pose teacher names them, upright people in a turned picture being lying ones.

Shape legend: K = people, F = feature channels, 8, 4 = rows and columns of a region, P = postures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  # its usual name
from torch import Tensor, nn
from torchvision.ops import roi_align  # type: ignore[import-untyped]  # the package has no types
from tqdm import tqdm

from contracts.frames import BgrImage
from vision.detect.fitting import fit_of, stack
from vision.encoder import REGION, Encoder, ObjectHead
from vision.training.appearance import POSTURES
from vision.training.corpus import Corpus
from vision.training.descriptions import UNKNOWN, Described
from vision.training.teachers import turn_back
from vision.training.views import worn

FloatArray = npt.NDArray[np.float32]

JITTER: Final = 0.06
"""Spread of a box's sides in use, as a share of its size."""
TEACHER_TEMPERATURE: Final = 0.07
STEPS: Final = 3000
PEOPLE: Final = 256
RATE: Final = 2e-3


@dataclass(frozen=True, slots=True)
class People:
    """Features of people in several guises, with what the teachers say of each.

    Attributes:
        features: (K, F, 8, 4), half precision.
        identities: The teacher's unit vectors (K, 512).
        postures: Index into the posture names, -1 where not known (K).
    """

    features: Tensor
    identities: Tensor
    postures: Tensor


class Gatherer:
    """Collects people from samples, as an encoder sees them."""

    def __init__(self, encoder: Encoder, *, random: np.random.Generator) -> None:
        self._encoder = encoder.eval()
        self._random = random

    def gather(self, corpus: Corpus, described: Sequence[Described]) -> People:
        """Return everybody whom the teachers described, in three guises each."""
        features: list[Tensor] = []
        identities: list[FloatArray] = []
        postures: list[int] = []
        for picture in tqdm(described, desc="people"):
            pixels = corpus.pixels(corpus.samples[picture.index])
            for guise, boxes, turns in self._guises(pixels, picture.boxes_K4):
                features.append(region_features(self._encoder, guise, self._shaken(boxes)).half())
                identities.append(picture.identities_KD)
                postures += [_turned_posture(int(one), turns) for one in picture.postures_K]
        return People(
            torch.cat(features),
            torch.from_numpy(np.concatenate(identities)),
            torch.tensor(postures, dtype=torch.long),
        )

    def _guises(
        self, pixels_HW3: BgrImage, boxes_K4: FloatArray
    ) -> Iterator[tuple[BgrImage, FloatArray, int]]:
        width = pixels_HW3.shape[1]
        yield pixels_HW3, boxes_K4, 0
        mirrored_K4 = boxes_K4[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32)
        mirrored_K4 += np.array([width, 0, width, 0], np.float32)
        yield worn(np.ascontiguousarray(pixels_HW3[:, ::-1]), self._random), mirrored_K4, 0
        turns = 1 if self._random.random() < 0.5 else 3
        turned = np.ascontiguousarray(np.rot90(pixels_HW3, turns))
        back_K4 = turn_back(boxes_K4, 4 - turns, height=turned.shape[0], width=turned.shape[1])
        yield worn(turned, self._random), back_K4, turns

    def _shaken(self, boxes_K4: FloatArray) -> FloatArray:
        sides = np.tile(boxes_K4[:, 2:] - boxes_K4[:, :2], 2)
        noise = self._random.normal(0, JITTER, boxes_K4.shape)
        return np.asarray(boxes_K4 + sides * noise.clip(-0.15, 0.15), np.float32)


@torch.no_grad()
def region_features(encoder: Encoder, pixels_HW3: BgrImage, boxes_K4: FloatArray) -> Tensor:
    """Return what the object head reads of each box, shape (K, F, 8, 4)."""
    fit = fit_of(*pixels_HW3.shape[:2])
    inputs = stack([pixels_HW3], fit).transpose(0, 3, 1, 2)
    maps = encoder(torch.from_numpy(inputs.copy()).float())
    scale = fit.fitted[1] / pixels_HW3.shape[1]
    scaled_K4 = torch.from_numpy((boxes_K4 * scale).astype(np.float32))
    regions_K5 = torch.cat([torch.zeros(len(boxes_K4), 1), scaled_K4], dim=1)
    return torch.cat(
        [
            roi_align(part, regions_K5, REGION, 1 / stride, sampling_ratio=2, aligned=True)
            for part, stride in ((maps.fine, 4), (maps.deep, 8))
        ],
        dim=1,
    )


def train_head(
    head: ObjectHead, people: People, *, steps: int = STEPS, seed: int = 0
) -> dict[str, float]:
    """Train the head in place; return the last losses.

    Identity: the softmax over similarities to everybody else in the batch follows the teacher's
    (relational distillation), and a linear map of the embedding follows the teacher's vector.
    """
    torch.manual_seed(seed)
    bridge = nn.Linear(head.embed.out_features, people.identities.shape[1])
    optimizer = torch.optim.AdamW(
        [*head.parameters(), *bridge.parameters()], lr=RATE, weight_decay=0.02
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    counts = torch.bincount(people.postures[people.postures >= 0], minlength=len(POSTURES))
    weights = (counts.sum() / counts.clamp(min=1)).sqrt()
    head.train()
    lost: dict[str, float] = {}
    for _ in tqdm(range(steps), desc="object head"):
        chosen = torch.randint(len(people.features), (PEOPLE,))
        embeddings, postures = head.describe(people.features[chosen].float())
        taught = people.identities[chosen]
        known = people.postures[chosen] >= 0
        parts = {
            "relation": _relation_loss(embeddings, taught),
            "vector": 1 - F.cosine_similarity(bridge(embeddings), taught).mean(),
            "posture": F.cross_entropy(
                postures[known],
                people.postures[chosen][known],
                weight=weights / weights.mean(),
                label_smoothing=0.05,
            ),
        }
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call]  # torch's
        optimizer.step()
        schedule.step()
        lost = {name: float(part.detach()) for name, part in parts.items()}
    head.eval()
    return lost


def _relation_loss(embeddings_KD: Tensor, taught_KD: Tensor) -> Tensor:
    own = torch.eye(len(embeddings_KD), dtype=torch.bool)
    student = (embeddings_KD @ embeddings_KD.T / TEACHER_TEMPERATURE).masked_fill(own, -1e4)
    teacher = (taught_KD @ taught_KD.T / TEACHER_TEMPERATURE).masked_fill(own, -1e4)
    return F.kl_div(
        student.log_softmax(dim=1), teacher.log_softmax(dim=1), log_target=True,
        reduction="batchmean",
    )  # fmt: skip


def _turned_posture(posture: int, turns: int) -> int:
    """Upright people lie in a turned picture, lying ones stand; of the others nothing is known."""
    if turns % 2 == 0 or posture == UNKNOWN:
        return posture
    upright, lying = POSTURES.index("upright"), POSTURES.index("lying")
    return {upright: lying, lying: upright}.get(posture, UNKNOWN)
