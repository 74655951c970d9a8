"""Which decoded pictures are given on: by their damage, and by what they still show."""

from collections.abc import Callable
from typing import Final

from av.video.frame import VideoFrame

from ingest.sources.damage import DamageTrail, Soundness
from ingest.sources.likeness import Likeness

__all__ = ["Judge", "Soundness"]

CAUGHT_UP_S: Final = 0.002
"""A read that takes longer had to wait: all that came before has been read."""


class Judge:
    """Judges the pictures of one stream, in their order.

    Args:
        lost: Returns how many packets got lost on the way so far; None where nobody knows.
    """

    def __init__(self, lost: Callable[[], int] | None) -> None:
        self._lost = lost
        self._damage = DamageTrail()
        self._likeness = Likeness()

    def next_packet(self, *, waited_s: float) -> None:
        """Note that something encoded came, after so long a wait; before it is decoded."""
        if self._lost is not None:
            self._damage.lost(self._lost(), is_caught_up=waited_s >= CAUGHT_UP_S)

    def failed(self, *, is_key: bool) -> None:
        """Note that it could not be decoded at all."""
        self._damage.failed(is_key=is_key)

    def look(self, picture: VideoFrame, *, stream_s: float | None) -> Soundness:
        """Return how sound the next picture is.

        A key picture that arrived with a few rows missing shows nearly all of the view; one of
        which the half is missing does not, nor does what rests on it. Which of them it is, the last
        whole picture tells.
        """
        soundness = self._damage.look(
            is_damaged=picture.is_corrupt, is_key=picture.key_frame, stream_s=stream_s
        )
        if soundness is Soundness.SOUND:
            self._likeness.keep(picture)
        elif soundness is Soundness.SPOILT and self._likeness.is_kept(picture):
            return Soundness.PATCHED
        return soundness
