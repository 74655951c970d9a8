"""RTP packets that came by UDP, in the order in which they were sent, each once. Pure.

Source: RFC 3550, 5.1 (header) and A.1 (sequence numbers, what is no reordering any more).
"""

from collections.abc import Iterator
from typing import Final

REORDER_S: Final = 0.3
"""How long a packet that is missing is waited for."""
START_S: Final = 0.05
"""How long the first packets are looked at, to find the first of them."""
HELD_MAX: Final = 2048
"""Packets that wait; a key frame of 4K has about a thousand."""
_START_PACKETS: Final = 4
_HEAD_BYTES: Final = 12
_RTP_VERSION: Final = 2
_NUMBERS: Final = 1 << 16
_DROPOUT_MAX: Final = 3000
"""Numbers further away are those of a stream that began anew."""
_STRANGERS_MAX: Final = 16
"""So many packets in a row that do not fit are the stream, and what was before is not."""


class RtpOrder:
    """Follows one track.

    Attributes:
        lost, doubled: Packets that never came, and that came again or too late.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.doubled = 0
        self._held: dict[int, tuple[float, bytes]] = {}
        self._next: int | None = None
        self._sender: bytes = b""
        self._strangers = 0

    @property
    def due_s(self) -> float | None:
        """When to call ``release``: until then something may still come; None if nothing waits."""
        if not self._held:
            return None
        since_s = next(iter(self._held.values()))[0]  # as they came
        return since_s + (START_S if self._next is None else REORDER_S)

    def add(self, packet: bytes, *, now_s: float) -> list[bytes]:
        """Take in what came at monotonic ``now_s``; return the packets whose turn it is."""
        if len(packet) < _HEAD_BYTES or packet[0] >> 6 != _RTP_VERSION:
            return []
        number = int.from_bytes(packet[2:4], "big")
        if not self._fits(packet[8:12], number):
            self._strangers += 1
            if self._strangers < _STRANGERS_MAX:
                return []
            before = [*self._in_order()]
            self._begin(packet[8:12])
            return before + self._hold(number, packet, now_s)
        self._strangers = 0
        return self._hold(number, packet, now_s)

    def release(self, *, now_s: float) -> list[bytes]:
        """Return what has waited for long enough for what is missing before it."""
        due_s = self.due_s
        if due_s is None or now_s < due_s:
            return []
        self._skip()
        return self._ready()

    def _fits(self, sender: bytes, number: int) -> bool:
        """Whether a packet can be one of this stream, late or early as it may be."""
        if not self._sender:
            self._begin(sender)
        if sender != self._sender:
            return False
        return self._next is None or abs(self._ahead(number)) <= _DROPOUT_MAX

    def _begin(self, sender: bytes) -> None:
        self._held.clear()
        self._sender, self._next, self._strangers = sender, None, 0

    def _hold(self, number: int, packet: bytes, now_s: float) -> list[bytes]:
        if number in self._held or (self._next is not None and self._ahead(number) < 0):
            self.doubled += 1
            return []
        self._held[number] = (now_s, packet)
        if (self._next is None and len(self._held) >= _START_PACKETS) or len(self._held) > HELD_MAX:
            self._skip()
        return [] if self._next is None else self._ready()

    def _skip(self) -> None:
        """Give up what is missing before the first packet that waits."""
        anchor = next(iter(self._held)) if self._next is None else self._next
        first = min(self._held, key=lambda number: _distance(anchor, number))
        if self._next is not None:
            self.lost += _distance(self._next, first)
        self._next = first

    def _ready(self) -> list[bytes]:
        found = []
        while self._next in self._held:
            found.append(self._held.pop(self._next)[1])
            self._next = (self._next + 1) % _NUMBERS
        return found

    def _in_order(self) -> Iterator[bytes]:
        anchor = self._next or 0
        for number in sorted(self._held, key=lambda number: _distance(anchor, number)):
            yield self._held[number][1]

    def _ahead(self, number: int) -> int:
        return 0 if self._next is None else _distance(self._next, number)


def _distance(start: int, number: int) -> int:
    """Return by how much a sequence number lies after another; negative if before it."""
    steps = (number - start) % _NUMBERS
    return steps if steps < _NUMBERS // 2 else steps - _NUMBERS
