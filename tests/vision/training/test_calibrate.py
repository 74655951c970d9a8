import numpy as np
import pytest
import torch

from tests.vision.detect.encoders import SHAPE
from vision.encoder import Encoder
from vision.training import calibrate
from vision.training.evaluate import Verdicts


def overconfident(count: int, seed: int) -> Verdicts:
    """Finds whose scores are the chance of being right with its logit doubled and raised."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.5, count)
    is_right = rng.random(count) < 1 / (1 + np.exp(-logit))
    scores = 1 / (1 + np.exp(-(2 * logit + 1)))
    return Verdicts(scores.astype(np.float32), is_right, count)


def test_scores_become_the_share_of_right_finds() -> None:
    scale, shift = calibrate.fit([overconfident(20_000, 1), overconfident(2_000, 2)])

    assert scale == pytest.approx(0.5, abs=0.05)
    assert shift == pytest.approx(-0.5, abs=0.08)


def test_scale_and_shift_go_into_the_network() -> None:
    torch.manual_seed(0)
    encoder = Encoder(SHAPE).eval()
    pixels = torch.rand(1, 3, 64, 96) * 255
    with torch.no_grad():
        before = encoder(pixels)
        calibrate.apply(encoder, 0.5, -0.25)
        after = encoder(pixels)

    assert torch.allclose(after.logits_NAC, before.logits_NAC * 0.5 - 0.25, atol=1e-4)
    assert torch.equal(after.boxes_NA4, before.boxes_NA4)
