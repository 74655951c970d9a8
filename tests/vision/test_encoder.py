"""The network: any size, one picture as in a batch, and sane answers before any training."""

import pytest
import torch
from torch import Tensor

from tests.vision.detect.encoders import SHAPE
from vision.encoder import (
    STRIDES,
    Encoder,
    EncoderMaps,
    ObjectHead,
    anchor_points,
    scene_tokens,
)

REGIONS = ((0.0, 4, 8, 40, 60), (1.0, 20, 4, 60, 60), (1.0, 0, 0, 96, 64))


def encoder(*, seed: int = 1) -> Encoder:
    torch.manual_seed(seed)
    return Encoder(SHAPE).eval()


def pictures(count: int, height: int, width: int) -> Tensor:
    noise = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (count, 3, height, width), generator=noise).float()


def look(count: int = 2, height: int = 64, width: int = 96) -> EncoderMaps:
    with torch.no_grad():
        maps: EncoderMaps = encoder()(pictures(count, height, width))
    return maps


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (224, 384), (288, 32)])
def test_any_sides_that_are_multiples_of_32_will_do(height: int, width: int) -> None:
    maps = look(2, height, width)

    points = sum(height // stride * (width // stride) for stride in STRIDES)
    assert maps.logits_NAC.shape == (2, points, len(SHAPE.classes))
    assert maps.boxes_NA4.shape == (2, points, 4)
    assert maps.fine.shape == (2, SHAPE.widths[1], height // 4, width // 4)
    assert maps.deep.shape == (2, SHAPE.pyramid, height // 8, width // 8)
    assert [tuple(level.shape) for level in maps.pyramid] == [
        (2, SHAPE.pyramid, height // stride, width // stride) for stride in STRIDES
    ]


@pytest.mark.parametrize(("height", "width"), [(48, 64), (64, 80), (33, 32)])
def test_other_sides_are_refused_in_words(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"multiples of 32, got {width}x{height}"):
        encoder()(pictures(1, height, width))


def test_each_box_of_an_untrained_network_lies_around_its_anchor_point() -> None:
    boxes_NA4 = look().boxes_NA4
    points_A3 = anchor_points(64, 96)

    assert (boxes_NA4[..., :2] < points_A3[:, :2]).all()
    assert (boxes_NA4[..., 2:] > points_A3[:, :2]).all()


def test_boxes_keep_their_digits_in_half_precision() -> None:
    seen = pictures(1, 224, 384)
    with torch.no_grad():
        whole_NA4 = encoder()(seen).boxes_NA4
        half_NA4 = encoder().bfloat16()(seen.bfloat16()).boxes_NA4

    assert half_NA4.dtype == torch.float32
    assert (half_NA4 - whole_NA4).abs().max() < 1.0


def test_anchor_points_stand_in_the_middle_of_their_cells_row_by_row() -> None:
    points_A3 = anchor_points(32, 64)

    assert points_A3[:2].tolist() == [[4, 4, 8], [12, 4, 8]]
    assert points_A3[8].tolist() == [4, 12, 8]
    assert points_A3[-2:].tolist() == [[16, 16, 32], [48, 16, 32]]


def test_a_box_stays_finite_however_wild_the_weights() -> None:
    network = encoder()
    for output in network.outputs:
        torch.nn.init.constant_(output.bias, 1e6)  # type: ignore[arg-type]  # a Conv2d's

    boxes_NA4 = network(pictures(1, 64, 64)).boxes_NA4

    assert torch.isfinite(boxes_NA4).all()


def test_an_untrained_network_sees_nothing() -> None:
    assert look().logits_NAC.sigmoid().max() < 0.05


def test_a_picture_is_answered_in_a_batch_as_alone() -> None:
    network, batch = encoder(), pictures(3, 64, 96)
    with torch.no_grad():
        together, alone = network(batch), network(batch[1:2])

    assert torch.allclose(together.logits_NAC[1], alone.logits_NAC[0], atol=1e-5)
    assert torch.allclose(together.boxes_NA4[1], alone.boxes_NA4[0], atol=1e-3)
    assert torch.allclose(scene_tokens(together)[1], scene_tokens(alone)[0], atol=1e-5)


def test_what_stands_further_right_is_answered_further_right() -> None:
    """A shift of one coarsest cell moves the answers, away from the edges, by one cell."""
    network = encoder()
    empty = torch.full((1, 3, 256, 512), 114.0)
    here, there = empty.clone(), empty.clone()
    here[:, :, 96:128, 224:256] = 255
    there[:, :, 96:128, 256:288] = 255
    with torch.no_grad():
        first, second = (network(picture).pyramid[0] for picture in (here, there))

    moved = first.roll(32 // 8, dims=3)
    assert torch.allclose(moved[..., 24:44], second[..., 24:44], atol=1e-4)
    assert not torch.allclose(first[..., 24:44], second[..., 24:44], atol=1e-4)


def test_scene_tokens_are_unit_vectors_and_the_last_is_the_whole() -> None:
    maps = look()

    tokens_NSD = scene_tokens(maps)

    assert tokens_NSD.shape == (2, 7, SHAPE.pyramid)
    assert torch.allclose(tokens_NSD.norm(dim=2), torch.ones(2, 7), atol=1e-4)
    whole = maps.pyramid[2].mean(dim=(2, 3))
    assert torch.allclose(tokens_NSD[:, -1], whole / whole.norm(dim=1, keepdim=True), atol=1e-5)


def test_objects_are_described_by_unit_vectors_and_posture_scores() -> None:
    maps = look()
    torch.manual_seed(2)
    head = ObjectHead(SHAPE).eval()

    embeddings_KD, postures_KP = head(maps.fine, maps.deep, torch.tensor(REGIONS))

    assert embeddings_KD.shape == (3, SHAPE.embedding)
    assert postures_KP.shape == (3, len(SHAPE.postures))
    assert torch.allclose(embeddings_KD.norm(dim=1), torch.ones(3), atol=1e-5)


def test_a_region_is_described_alike_whatever_other_regions_are_asked_for() -> None:
    maps = look()
    head = ObjectHead(SHAPE).eval()
    regions_K5 = torch.tensor(REGIONS)
    with torch.no_grad():
        together = head(maps.fine, maps.deep, regions_K5)[0]
        alone = head(maps.fine, maps.deep, regions_K5[1:2])[0]

    assert torch.allclose(together[1], alone[0], atol=1e-5)


def test_a_region_is_cut_from_the_picture_that_it_names() -> None:
    """The same picture twice in a batch, but for one person in the second."""
    batch = pictures(1, 64, 96).repeat(2, 1, 1, 1)
    batch[1, :, 8:60, 4:40] = 20
    network, head = encoder(), ObjectHead(SHAPE).eval()
    with torch.no_grad():
        maps = network(batch)
        first, second, same = head(
            maps.fine,
            maps.deep,
            torch.tensor([[0.0, 4, 8, 40, 60], [1, 4, 8, 40, 60], [0, 4, 8, 40, 60]]),
        )[0]

    assert torch.allclose(first, same, atol=1e-6)
    assert not torch.allclose(first, second, atol=1e-3)


def test_every_weight_of_the_encoder_is_taught() -> None:
    """A branch that nothing flows through would stay as it was drawn."""
    network = encoder().train()
    maps = network(pictures(2, 64, 96))

    (maps.logits_NAC.square().sum() + maps.boxes_NA4.square().mean()).backward()

    idle = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert idle == []


def test_every_weight_of_the_object_head_is_taught() -> None:
    torch.manual_seed(3)
    maps, head = look(), ObjectHead(SHAPE).train()
    embeddings_KD, postures_KP = head(maps.fine, maps.deep, torch.tensor(REGIONS))

    (embeddings_KD[0] @ embeddings_KD[1] + postures_KP.square().sum()).backward()

    idle = [
        name
        for name, parameter in head.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert idle == []
