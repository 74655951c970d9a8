"""Reads and writes the encoder's weights: safetensors, with the network's shape in the header."""

from dataclasses import asdict
from pathlib import Path
from typing import Final

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from contracts.errors import ModelError
from vision.encoder import Encoder, EncoderShape, ObjectHead

SHAPE_KEY: Final = "encoder"
FORMAT_KEY: Final = "format"
FORMAT: Final = "vigil-encoder-1"


def save(path: Path, encoder: Encoder, objects: ObjectHead) -> None:
    """Write both networks, batch statistics included, as half precision floats.

    Half precision costs no measurable accuracy and halves the file.
    """
    tensors = {
        f"{part}.{name}": tensor.half() if tensor.is_floating_point() else tensor
        for part, network in (("encoder", encoder), ("objects", objects))
        for name, tensor in network.state_dict().items()
    }
    header = {
        FORMAT_KEY: FORMAT,
        SHAPE_KEY: msgspec.json.encode(asdict(encoder.shape)).decode(),
    }
    partial = path.with_suffix(".part")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial, header)
    partial.replace(path)


def load(path: Path) -> tuple[Encoder, ObjectHead]:
    """Return both networks, ready for inference, on the CPU.

    Raises:
        ModelError: The file is missing, cut off, no safetensors, or not an encoder's weights.
    """
    tensors, shape = _read(path)
    encoder, objects = Encoder(shape), ObjectHead(shape)
    for part, network in (("encoder", encoder), ("objects", objects)):
        state = {
            name.removeprefix(f"{part}."): tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{part}.")
        }
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise ModelError(
                f"{path}: the weights do not fit the shape in the file's header: "
                f"{str(error).splitlines()[1].strip()[:200]}"
            ) from error
    return encoder.eval(), objects.eval()


def _read(path: Path) -> tuple[dict[str, torch.Tensor], EncoderShape]:
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get(FORMAT_KEY) != FORMAT:
                raise ModelError(
                    f"{path}: not an encoder of Vigil's: header says {FORMAT_KEY} = "
                    f"{header.get(FORMAT_KEY)!r}, wanted {FORMAT!r}"
                )
            shape = msgspec.json.decode(header[SHAPE_KEY], type=EncoderShape)
            sizes = (*shape.widths, *shape.depths, shape.pyramid, shape.embedding)
            if min(sizes) < 1:
                raise ModelError(f"{path}: sizes of a network must be at least 1, got {sizes}")
            return {name: file.get_tensor(name) for name in file.keys()}, shape  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError, KeyError, msgspec.MsgspecError) as error:
        raise ModelError(
            f"{path}: not a readable safetensors file of an encoder ({error}); is it complete?"
        ) from error
