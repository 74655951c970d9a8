"""The core's blocks give what the published ones give, with the same weights.

The reference has a few parts that ours leaves out (a low-rank way to the queries, grouped outputs);
they are set to do nothing, and inputs have a root mean square of one as behind a norm.
"""

from typing import TypeVar

import pytest
import torch
from torch import Tensor, nn
from transformers import DeepseekV4Config, Qwen3MoeConfig
from transformers.models.deepseek_v4 import modeling_deepseek_v4 as v4
from transformers.models.qwen3_moe import modeling_qwen3_moe as qwen3

from moe_core.model.attention import Attention, AttentionState
from moe_core.model.compressor import Compressor
from moe_core.model.experts import ExpertPath, Experts
from moe_core.model.mixture import Mixture
from moe_core.model.rotary import rotate, rotation_of, unit_rms
from moe_core.model.router import LearnedRouter, TypeRouter
from moe_core.model.shape import Attention as Kind
from moe_core.model.shape import Gate, Routing
from tests.moe_core.model.shapes import SMALL

NetworkT = TypeVar("NetworkT", bound=nn.Module)

CLOSE = 1e-4
TOKENS = 50
KINDS = {
    Kind.SLIDING: "sliding_attention",
    Kind.SPARSE: "compressed_sparse_attention",
    Kind.HEAVY: "heavily_compressed_attention",
}


def config_of(kind: Kind = Kind.SLIDING, *, routing: Routing = Routing.LEARNED) -> DeepseekV4Config:
    rope = {
        name: {
            "rope_type": "default",
            "rope_theta": theta,
            "partial_rotary_factor": SMALL.rotary_width / SMALL.head_width,
        }
        for name, theta in (("main", SMALL.theta), ("compress", SMALL.compressed_theta))
    }
    config = DeepseekV4Config(
        hidden_size=SMALL.width,
        moe_intermediate_size=SMALL.expert_width,
        num_hidden_layers=1,
        num_attention_heads=SMALL.heads,
        head_dim=SMALL.head_width,
        q_lora_rank=SMALL.width,
        o_groups=1,
        o_lora_rank=SMALL.width,
        num_experts_per_tok=SMALL.active,
        n_routed_experts=SMALL.experts,
        routed_scaling_factor=SMALL.scaling,
        layer_types=[KINDS[kind]],
        mlp_layer_types=["hash_moe" if routing is Routing.BY_TYPE else "moe"],
        compress_rates={
            KINDS[Kind.SPARSE]: SMALL.sparse_rate,
            KINDS[Kind.HEAVY]: SMALL.heavy_rate,
        },
        sliding_window=SMALL.window,
        index_n_heads=SMALL.index_heads,
        index_head_dim=SMALL.index_width,
        index_topk=SMALL.index_top,
        rope_parameters=rope,
        vocab_size=SMALL.types,
    )
    config._attn_implementation = "eager"
    return config


def randomised(module: NetworkT) -> NetworkT:
    torch.manual_seed(3)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module.eval()


def tokens(count: int = TOKENS) -> Tensor:
    torch.manual_seed(5)
    return unit_rms(torch.randn(2, count, SMALL.width))


def positions(count: int = TOKENS) -> Tensor:
    return torch.arange(count)[None].expand(2, -1)


def copy(ours: nn.Module, theirs: nn.Module, names: dict[str, str]) -> None:
    """Give the reference our weights, by its own names."""
    own = dict(ours.named_parameters())
    wanted = dict(theirs.named_parameters())
    with torch.no_grad():
        for name, target in names.items():
            wanted[target].copy_(own[name])


def compressor_names(ours: str, theirs: str) -> dict[str, str]:
    return {
        f"{ours}values.weight": f"{theirs}kv_proj.weight",
        f"{ours}gates.weight": f"{theirs}gate_proj.weight",
        f"{ours}place_bias": f"{theirs}position_bias",
        f"{ours}norm.weight": f"{theirs}kv_norm.weight",
    }


def attentions(kind: Kind) -> tuple[Attention, v4.DeepseekV4Attention]:
    ours = randomised(Attention(SMALL, kind))
    theirs = v4.DeepseekV4Attention(config_of(kind), 0).eval()
    names = {
        "queries.weight": "q_b_proj.weight",
        "keys.weight": "kv_proj.weight",
        "key_norm.weight": "kv_norm.weight",
        "out.weight": "o_a_proj.weight",
        "sinks_H": "sinks",
    }
    if kind is not Kind.SLIDING:
        names |= compressor_names("compressor.", "compressor.")
    if kind is Kind.SPARSE:
        names |= compressor_names("indexer.compressor.", "compressor.indexer.")
        names["indexer.queries.weight"] = "compressor.indexer.q_b_proj.weight"
        names["indexer.head_weights.weight"] = "compressor.indexer.scorer.weights_proj.weight"
    copy(ours, theirs, names)
    with torch.no_grad():
        theirs.q_a_proj.weight.copy_(torch.eye(SMALL.width))
        theirs.q_a_norm.weight.fill_(1.0)
        theirs.o_b_proj.weight.copy_(torch.eye(SMALL.width))
    return ours, theirs


def reference_attention(theirs: v4.DeepseekV4Attention, x_BSD: Tensor, kind: Kind) -> Tensor:
    config = config_of(kind)
    rotary = v4.DeepseekV4RotaryEmbedding(config)
    at_BS = positions(x_BSD.shape[1])
    embeddings = {name: rotary(x_BSD, at_BS, layer_type=name) for name in ("main", "compress")}
    index = torch.arange(x_BSD.shape[1])
    is_seen = (index[None] <= index[:, None]) & (index[None] > index[:, None] - SMALL.window)
    mask = torch.zeros(is_seen.shape).masked_fill(~is_seen, float("-inf"))[None, None]
    said: Tensor = theirs(
        x_BSD, embeddings, at_BS, mask.expand(len(x_BSD), 1, -1, -1), past_key_values=None
    )[0]
    return said


@pytest.mark.parametrize("kind", list(Kind))
def test_attention_gives_what_the_reference_gives(kind: Kind) -> None:
    ours, theirs = attentions(kind)
    x_BSD = tokens()

    said = ours(x_BSD, positions(), AttentionState())

    assert torch.allclose(said, reference_attention(theirs, x_BSD, kind), atol=CLOSE)


def test_rotation_is_the_reference_s() -> None:
    config = config_of()
    x = torch.randn(2, 7, SMALL.heads, SMALL.head_width)
    cos, sin = v4.DeepseekV4RotaryEmbedding(config)(x, positions(7), layer_type="main")

    ours = rotate(x, rotation_of(positions(7), width=SMALL.rotary_width, theta=SMALL.theta))

    theirs = v4.apply_rotary_pos_emb(x.transpose(1, 2), cos, sin).transpose(1, 2)
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_entries_of_a_window_are_the_reference_s() -> None:
    ours = randomised(Compressor(SMALL, SMALL.head_width, rate=SMALL.heavy_rate, overlaps=False))
    theirs = v4.DeepseekV4HCACompressor(config_of(Kind.HEAVY)).eval()
    copy(ours, theirs, compressor_names("", ""))
    x_BSD = tokens()

    state = AttentionState().entries
    entries = ours(x_BSD, positions(), state)

    wanted, _ = theirs(x_BSD, x_BSD, positions(), None, 0)
    assert entries.shape[1] == TOKENS // SMALL.heavy_rate
    assert torch.allclose(entries, wanted.squeeze(1), atol=CLOSE)


@pytest.mark.parametrize("path", list(ExpertPath))
@pytest.mark.parametrize("routing", list(Routing))
def test_a_mixture_gives_what_the_reference_gives(routing: Routing, path: ExpertPath) -> None:
    ours = randomised(Mixture(SMALL, routing))
    config = config_of(routing=routing)
    theirs = v4.DeepseekV4SparseMoeBlock(config, 0).eval()
    theirs.shared_experts = v4.DeepseekV4MLP(
        DeepseekV4Config(
            hidden_size=SMALL.width, moe_intermediate_size=SMALL.shared_width, num_hidden_layers=1
        )
    )
    copy(
        ours,
        theirs,
        {
            "router.weight": "gate.weight",
            "experts.gate_up_EHD": "experts.gate_up_proj",
            "experts.down_EDH": "experts.down_proj",
            "shared.down.weight": "shared_experts.down_proj.weight",
        },
    )
    with torch.no_grad():
        gate, up = ours.shared.gate_up.weight.chunk(2)
        theirs.shared_experts.gate_proj.weight.copy_(gate)
        theirs.shared_experts.up_proj.weight.copy_(up)
    x_BSD = tokens()
    types_BS = torch.randint(0, SMALL.types, x_BSD.shape[:2])
    if isinstance(ours.router, TypeRouter):
        theirs.gate.tid2eid.copy_(ours.router.table_YK)  # type: ignore[operator]  # a buffer
    else:
        ours.router.bias_E.copy_(torch.linspace(-0.3, 0.3, SMALL.experts))
        theirs.gate.e_score_correction_bias.copy_(ours.router.bias_E)  # type: ignore[operator]  # a buffer

    said, routed = ours(x_BSD, types_BS, path=path)

    asked = (x_BSD, types_BS) if routing is Routing.BY_TYPE else (x_BSD,)
    _, _, chosen = theirs.gate(*asked)
    assert torch.equal(routed.experts_TK.sort(dim=1).values, chosen.sort(dim=1).values)
    wanted = theirs(x_BSD, input_ids=types_BS if routing is Routing.BY_TYPE else None)
    assert torch.allclose(said, wanted, atol=CLOSE)


def test_softmax_routing_gives_what_qwen3_gives() -> None:
    config = Qwen3MoeConfig(
        hidden_size=SMALL.width,
        num_experts=SMALL.experts,
        num_experts_per_tok=SMALL.active,
        moe_intermediate_size=SMALL.expert_width,
        norm_topk_prob=True,
    )
    theirs = randomised(qwen3.Qwen3MoeSparseMoeBlock(config))
    router = LearnedRouter(SMALL.width, SMALL.experts, SMALL.active, gate=Gate.SOFTMAX)
    experts = Experts(SMALL.width, SMALL.experts, SMALL.expert_width, limit=float("inf"))
    with torch.no_grad():
        router.weight.copy_(theirs.gate.weight)
        experts.gate_up_EHD.copy_(theirs.experts.gate_up_proj)
        experts.down_EDH.copy_(theirs.experts.down_proj)
    x_BSD = tokens()
    x_TD = x_BSD.flatten(0, 1)

    routed = router(x_TD)
    said = experts(x_TD, routed.experts_TK, routed.weights_TK)

    _, _, chosen = theirs.gate(x_TD)
    assert torch.equal(routed.experts_TK.sort(dim=1).values, chosen.sort(dim=1).values)
    assert torch.allclose(said.view_as(x_BSD), theirs(x_BSD), atol=CLOSE)
