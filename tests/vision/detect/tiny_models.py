"""Tiny random checkpoints of published families, written as their publishers do.

Import it only in tests of those families: transformers takes seconds to import.
"""

from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file
from torchvision.models import (  # type: ignore[import-untyped]  # the package has no types
    get_model,
)
from transformers import (
    AutoModelForObjectDetection,
    Deimv2Config,
    DFineConfig,
    HGNetV2Config,
    PreTrainedConfig,
    RfDetrConfig,
    RTDetrImageProcessor,
    RTDetrResNetConfig,
    RTDetrV2Config,
    YolosConfig,
    YolosImageProcessor,
)
from transformers.models.rf_detr.configuration_rf_detr import RfDetrDinov2Config
from transformers.models.rf_detr.image_processing_rf_detr import RfDetrImageProcessor

NAMES: Final = {0: "Person", 1: "motorbike"}
"""As a publisher may write them; ours are person and motorcycle."""
SIDE_PX: Final = 64

_DETR: Final[dict[str, Any]] = {
    "anchor_image_size": None, "d_model": 16, "decoder_attention_heads": 2, "decoder_ffn_dim": 16,
    "decoder_in_channels": [16, 16, 16], "decoder_layers": 2, "encoder_attention_heads": 2,
    "encoder_ffn_dim": 16, "encoder_hidden_dim": 16, "encoder_in_channels": [16, 16, 16],
    "encoder_layers": 1, "eval_size": None, "feat_strides": [8, 16, 32], "id2label": NAMES,
    "num_feature_levels": 3, "num_queries": 10,
}  # fmt: skip
_HGNET: Final[dict[str, Any]] = {
    "embedding_size": 8, "hidden_sizes": [16, 16, 16, 16],
    "out_features": ["stage2", "stage3", "stage4"],
    "stage_downsample": [False, True, True, True], "stage_in_channels": [8, 16, 16, 16],
    "stage_kernel_size": [3, 3, 3, 3], "stage_light_block": [False, False, True, True],
    "stage_mid_channels": [8, 8, 8, 8], "stage_num_blocks": [1, 1, 1, 1],
    "stage_numb_of_layers": [1, 1, 1, 1], "stage_out_channels": [16, 16, 16, 16],
    "stem_channels": [3, 8, 8],
}  # fmt: skip


def _rt_detr_v2() -> PreTrainedConfig:
    make_backbone: Any = RTDetrResNetConfig  # its types lack what its documentation has
    backbone = make_backbone(
        embedding_size=8,
        hidden_sizes=[8, 16, 16, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    return RTDetrV2Config(backbone_config=backbone, decoder_n_points=2, **_DETR)


def _d_fine() -> PreTrainedConfig:
    return DFineConfig(
        backbone_config=HGNetV2Config(**_HGNET),
        decoder_n_points=[2, 2, 2],
        hidden_expansion=0.5,
        **_DETR,
    )


def _deimv2() -> PreTrainedConfig:
    return Deimv2Config(
        backbone_config=HGNetV2Config(**_HGNET),
        decoder_n_points=[2, 2, 2],
        hidden_expansion=0.5,
        **_DETR,
    )


def _rf_detr() -> PreTrainedConfig:
    make_backbone: Any = RfDetrDinov2Config  # as above
    backbone = make_backbone(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=SIDE_PX,
        patch_size=16,
        num_windows=1,
        out_indices=[1, 2],
    )
    return RfDetrConfig(
        backbone_config=backbone,
        d_model=16,
        decoder_layers=1,
        decoder_self_attention_heads=2,
        decoder_cross_attention_heads=2,
        decoder_n_points=2,
        num_queries=10,
        group_detr=1,
        id2label=NAMES,
    )


def _yolos() -> PreTrainedConfig:
    return YolosConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=[SIDE_PX, SIDE_PX],
        num_detection_tokens=10,
        id2label=NAMES,
    )


MODEL_TYPES: Final = {
    "d_fine": (_d_fine, RTDetrImageProcessor),
    "deimv2": (_deimv2, RTDetrImageProcessor),
    "rf_detr": (_rf_detr, RfDetrImageProcessor),
    "rt_detr_v2": (_rt_detr_v2, RTDetrImageProcessor),
    "yolos": (_yolos, YolosImageProcessor),
}


def write_transformers_model(folder: Path, model_type: str) -> Path:
    """Write a random detector of this type into the folder."""
    torch.manual_seed(1)
    make_config, processor = MODEL_TYPES[model_type]
    models: Any = AutoModelForObjectDetection
    model = models.from_config(make_config())
    model.save_pretrained(folder)
    processor(size={"height": SIDE_PX, "width": SIDE_PX}).save_pretrained(folder)
    return folder


def write_torchvision_model(path: Path, *, classes: int = 3) -> Path:
    """Write a random ssdlite320 with so many classes, background included."""
    torch.manual_seed(1)
    model = get_model(
        "ssdlite320_mobilenet_v3_large", weights=None, weights_backbone=None, num_classes=classes
    )
    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()},
        path,
        metadata={"architecture": "ssdlite320_mobilenet_v3_large"},
    )
    return path
