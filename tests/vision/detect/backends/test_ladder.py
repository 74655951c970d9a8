"""A device that fails in the middle of work: nothing is answered twice or not at all."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from contracts.errors import ModelError
from tests.vision.detect.fake_backend import FakeBackend
from vision.detect.backends.ladder import BackendLadder
from vision.detect.backends.port import DeviceFull, DeviceLost, EncoderBackend


class _Work:
    """Doubles numbers on a device with so much room, which is lost after so many batches."""

    def __init__(self, *, room: int = 99, batches_left: int = 99) -> None:
        self.room = room
        self.batches_left = batches_left
        self.sizes: list[int] = []

    def __call__(self, backend: EncoderBackend, items: Sequence[int]) -> list[int]:
        if backend.name == "fake":
            if len(items) > self.room:
                raise DeviceFull("told to be full")
            if not self.batches_left:
                raise DeviceLost("told to be lost")
            self.batches_left -= 1
        self.sizes.append(len(items))
        return [2 * item for item in items]


def spare() -> EncoderBackend:
    return FakeBackend(name="spare", batch_frames=1)


@given(st.integers(0, 40), st.integers(1, 16), st.integers(0, 20), st.integers(0, 5))
def test_every_item_is_answered_once_in_order_whatever_fails(
    count: int, budget: int, room: int, batches_left: int
) -> None:
    ladder = BackendLadder(FakeBackend(batch_frames=budget), spare)
    items = list(range(count))

    answers = ladder.run(items, _Work(room=room, batches_left=batches_left))

    assert answers == [2 * item for item in items]


def test_a_full_device_gets_half_and_keeps_to_it() -> None:
    ladder, work = BackendLadder(FakeBackend(batch_frames=8)), _Work(room=3)

    ladder.run(list(range(9)), work)
    ladder.run(list(range(4)), work)

    assert work.sizes == [2, 2, 2, 2, 1, 2, 2]
    assert ladder.batch_frames == 2


def test_a_device_without_room_for_one_is_given_up_and_it_is_counted() -> None:
    labels = {"backend": "fake", "to": "spare"}
    before = REGISTRY.get_sample_value("vigil_vision_backend_fallbacks_total", labels) or 0
    ladder = BackendLadder(FakeBackend(batch_frames=2), spare)

    ladder.run([1, 2, 3], _Work(room=0))

    assert ladder.backend.name == "spare"
    assert ladder.batch_frames == 1
    after = REGISTRY.get_sample_value("vigil_vision_backend_fallbacks_total", labels)
    assert after == before + 1
    batch = "vigil_vision_backend_batch"
    assert REGISTRY.get_sample_value(batch, {"backend": "fake"}) == 0
    assert REGISTRY.get_sample_value(batch, {"backend": "spare"}) == 1


def test_a_lost_device_is_given_up_at_once() -> None:
    ladder, work = BackendLadder(FakeBackend(batch_frames=4), spare), _Work(batches_left=1)

    ladder.run(list(range(6)), work)

    assert work.sizes == [4, 1, 1]


def test_without_a_replacement_the_error_comes_out() -> None:
    with pytest.raises(DeviceLost):
        BackendLadder(FakeBackend()).run([1], _Work(batches_left=0))


def test_a_wrong_answer_of_the_model_is_no_fault_of_the_device() -> None:
    ladder = BackendLadder(FakeBackend(), spare)

    def nonsense(backend: EncoderBackend, items: Sequence[int]) -> list[int]:
        raise ModelError("told to answer nonsense")

    with pytest.raises(ModelError, match="nonsense"):
        ladder.run([1], nonsense)

    assert ladder.backend.name == "fake"
