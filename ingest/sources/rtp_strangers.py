"""Packets of another session within a connection: some cameras send them, and libav takes them.

Source: RFC 3550, 5.1 (header); RFC 2326, 10.12 (interleaved packets); what live555 does where a
session that ended without TEARDOWN goes on writing to a connection that has its number now.
"""

from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

_FRAME_BYTES: Final = 4
_HEAD_BYTES: Final = 12
_RTP_VERSION: Final = 2
_RTCP_TYPES: Final = range(192, 224)
"""RFC 5761, 4: what these say at the place of RTP's payload type is RTCP."""
_DOLLAR: Final = 0x24
_WINDOW: Final = 32
"""Packets that are looked back on once a second sender was seen."""
_KNOWN: Final = _WINDOW // 2
"""Packets of one sender after which as many of another's are wanted before that one is believed."""


class Strangers:
    """Leaves out RTP packets on a channel whose sender is not that of most of them there.

    What comes from a sender that is new is held until it is known to have taken the other's place,
    so that a camera which changes its SSRC loses nothing.

    Attributes:
        left_out: Packets so far.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._channels: dict[int, _Senders] = {}

    def without(self, media: bytes) -> bytes:
        """Return whole interleaved packets without those of strangers; all else as it is."""
        parts: list[bytes] = []
        begun = 0
        for at, end in _packets(media):
            sender = _sender(media, at, end)
            if sender is None:
                continue
            senders = self._channels.setdefault(media[at + 1], _Senders())
            if senders.is_alone(sender):
                continue
            passed, left_out = senders.look(sender, media[at:end])
            self.left_out += left_out
            parts += [media[begun:at], *passed]
            begun = end
        return b"".join([*parts, media[begun:]]) if parts else media


class _Senders:
    """Who sent the last packets of one channel."""

    def __init__(self) -> None:
        self._usual = b""
        self._seen = 0
        self._last: deque[bytes] = deque()
        self._counts: Counter[bytes] = Counter()
        self._held: list[bytes] = []
        self._held_of = b""

    def is_alone(self, sender: bytes) -> bool:
        """Whether it is the one that sends, and nobody else did lately."""
        if not self._seen:
            self._usual = sender
        if sender != self._usual or self._last:
            return False
        self._seen = min(_KNOWN, self._seen + 1)
        return True

    def look(self, sender: bytes, packet: bytes) -> tuple[list[bytes], int]:
        """Return the packets that are to be passed on now, and how many are not at all."""
        if not self._last:
            self._last.extend([self._usual] * self._seen)
            self._counts[self._usual] = self._seen
        self._last.append(sender)
        self._counts[sender] += 1
        if len(self._last) > _WINDOW:
            self._counts[self._last.popleft()] -= 1
        if sender == self._usual:
            if self._counts[sender] == _WINDOW:
                self._last.clear()
                self._counts.clear()
            return [packet], self._drop_held()
        left_out = 0 if sender == self._held_of else self._drop_held()
        self._held_of = sender
        self._held.append(packet)
        if self._counts[sender] <= self._counts[self._usual]:
            return [], left_out
        self._usual = sender
        passed, self._held = self._held, []
        return passed, left_out

    def _drop_held(self) -> int:
        count = len(self._held)
        self._held.clear()
        return count


def _packets(media: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each packet begins and ends; line ends may lie between them."""
    at = 0
    while at < len(media):
        if media[at] != _DOLLAR:
            at += 1
            continue
        end = at + _FRAME_BYTES + int.from_bytes(media[at + 2 : at + 4], "big")
        yield at, end
        at = end


def _sender(media: bytes, at: int, end: int) -> bytes | None:
    """Return the SSRC of an RTP packet; None of anything else."""
    begin = at + _FRAME_BYTES
    if end - begin < _HEAD_BYTES or media[begin] >> 6 != _RTP_VERSION:
        return None
    return None if media[begin + 1] in _RTCP_TYPES else media[begin + 8 : begin + 12]
