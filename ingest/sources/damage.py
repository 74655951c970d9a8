"""Which decoded pictures show what was before the lens. Pure: what arrived damaged is an argument.

A decoder marks the picture that arrived damaged, and draws all that follow on top of it, unmarked,
until the next key picture. Where that one is damaged too, nothing that follows shows the scene: the
part that is missing is grey, or smeared downwards from what is there.
"""

from enum import IntEnum
from typing import Final

LOST_KEY_PACKETS: Final = 8
"""So many packets lost one after the other may be a whole key picture, which nobody would miss."""
REDRAWN_S: Final = 10.0
"""A stream without key pictures draws itself anew, part by part, within this time."""


class Soundness(IntEnum):
    """How much of a picture can be believed; more is better."""

    SPOILT = 0
    """Its key picture is damaged or missing."""
    PATCHED = 1
    """Its key picture is whole; what has moved since may be smeared, or left behind."""
    SOUND = 2


class DamageTrail:
    """Follows damage from picture to picture of one stream."""

    def __init__(self) -> None:
        self._state = Soundness.SOUND
        self._lost = 0
        self._ahead = Soundness.SOUND
        self._damaged_s: float | None = None
        self._key_s: float | None = None
        self._keys_apart_s = 0.0

    def lost(self, total: int, *, is_caught_up: bool) -> None:
        """Note what got lost on the way, before what came of it is looked at.

        Args:
            total: Packets lost so far. It may run ahead of the pictures, which wait to be read.
            is_caught_up: Whether nothing waited before this picture was there.
        """
        packets, self._lost = total - self._lost, total
        if packets > 0:
            is_much = packets >= LOST_KEY_PACKETS
            self._ahead = min(self._ahead, Soundness.SPOILT if is_much else Soundness.PATCHED)
            self._worsen(self._ahead)
        elif is_caught_up:
            self._ahead = Soundness.SOUND

    def failed(self, *, is_key: bool) -> None:
        """Note an encoded picture that could not be decoded at all."""
        self._worsen(Soundness.SPOILT if is_key else Soundness.PATCHED)

    def look(self, *, is_damaged: bool, is_key: bool, stream_s: float | None) -> Soundness:
        """Return how sound the next picture is.

        Args:
            is_damaged: What the decoder says of this picture itself.
            is_key: Whether it is drawn without any other.
            stream_s: Its time.
        """
        if is_key:
            self._note_key(stream_s)
            self._state = Soundness.SPOILT if is_damaged else self._ahead
        elif is_damaged:
            self._worsen(Soundness.PATCHED)
        elif self._is_redrawn(stream_s):
            self._state = self._ahead
        if is_damaged or self._ahead is not Soundness.SOUND or self._damaged_s is None:
            self._damaged_s = stream_s
        return self._state

    def _worsen(self, to: Soundness) -> None:
        self._state = min(self._state, to)
        self._damaged_s = None  # as of the next picture

    def _note_key(self, stream_s: float | None) -> None:
        if stream_s is not None and self._key_s is not None:
            self._keys_apart_s = max(self._keys_apart_s, stream_s - self._key_s)
        self._key_s = stream_s

    def _is_redrawn(self, stream_s: float | None) -> bool:
        """Whether all of the picture has been drawn anew, without a key picture."""
        if self._state is Soundness.SOUND or stream_s is None or self._damaged_s is None:
            return False
        # Where key pictures come, they are waited for.
        return abs(stream_s - self._damaged_s) > max(REDRAWN_S, 2 * self._keys_apart_s)
