"""The phases of a camera's connection and what leads from one to the next. A pure table."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Phase(StrEnum):
    """Values of ``CameraStatus.phase``."""

    WAITING = "waiting"
    """Nobody publishes yet: this camera calls us, not we it."""
    CONNECTING = "connecting"
    """Nothing has answered yet."""
    HANDSHAKE = "handshake"
    """It answers; credentials and streams are being agreed on."""
    WAIT_KEY_FRAME = "wait_key_frame"
    """The stream is open, and no picture could be decoded yet."""
    LIVE = "live"
    DEGRADED = "degraded"
    """Pictures come, but many of them damaged, or far fewer than usual."""
    STALLED = "stalled"
    """The connection stands and no picture comes."""
    BACK_OFF = "back_off"
    """Failed; waiting before the next attempt."""
    FAILED_AUTH = "failed_auth"
    """Credentials were refused; waiting long, since cameras lock accounts."""
    ENDED = "ended"
    """A recording was read to its end."""
    DISABLED = "disabled"


class Signal(StrEnum):
    """What happens to a connection."""

    OPEN = "open"
    """An attempt begins."""
    ANSWERED = "answered"
    OPENED = "opened"
    PICTURE = "picture"
    """A sound picture was decoded."""
    POOR = "poor"
    """Too many pictures are damaged or missing."""
    SOUND = "sound"
    """That is over."""
    SILENCE = "silence"
    """No picture for ``stall_after_s``."""
    FAILED = "failed"
    REFUSED = "refused"
    """Credentials."""
    END = "end"
    UNCALLED = "uncalled"
    """Nobody publishes (any more)."""
    SWITCHED_OFF = "switched_off"


_ALWAYS: Final = {
    Signal.OPEN: Phase.CONNECTING,
    Signal.FAILED: Phase.BACK_OFF,
    Signal.REFUSED: Phase.FAILED_AUTH,
    Signal.END: Phase.ENDED,
    Signal.UNCALLED: Phase.WAITING,
    Signal.SWITCHED_OFF: Phase.DISABLED,
}
"""What these say holds in whatever phase they come."""

TRANSITIONS: Final[Mapping[Phase, Mapping[Signal, Phase]]] = MappingProxyType(
    {
        Phase.WAITING: {},
        Phase.CONNECTING: {
            Signal.ANSWERED: Phase.HANDSHAKE,
            Signal.OPENED: Phase.WAIT_KEY_FRAME,
            Signal.PICTURE: Phase.LIVE,
        },
        Phase.HANDSHAKE: {
            Signal.OPENED: Phase.WAIT_KEY_FRAME,
            Signal.PICTURE: Phase.LIVE,
        },
        Phase.WAIT_KEY_FRAME: {
            Signal.PICTURE: Phase.LIVE,
            Signal.SILENCE: Phase.STALLED,
        },
        Phase.LIVE: {
            Signal.POOR: Phase.DEGRADED,
            Signal.SILENCE: Phase.STALLED,
        },
        Phase.DEGRADED: {
            Signal.SOUND: Phase.LIVE,
            Signal.SILENCE: Phase.STALLED,
        },
        Phase.STALLED: {Signal.PICTURE: Phase.LIVE},
        Phase.BACK_OFF: {},
        Phase.FAILED_AUTH: {},
        Phase.ENDED: {},
        Phase.DISABLED: {},
    }
)
"""Beyond ``_ALWAYS``. A signal that is not here comes too late and changes nothing: a picture that
was still being decoded when the connection was given up does not make the camera live."""


def after(phase: Phase, signal: Signal) -> Phase:
    """Return the phase that a signal leads to."""
    return _ALWAYS.get(signal) or TRANSITIONS[phase].get(signal, phase)
