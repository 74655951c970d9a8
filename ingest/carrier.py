"""Which carrier a camera's RTP is asked for: UDP as it is set, TCP where UDP loses too much. Pure.

A network that loses a packet in twenty leaves hardly a picture whole by UDP, and by TCP all of
them, since what is lost is sent again. So who is read by UDP goes over to TCP once it is plain that
packets keep being lost, and stays there. TCP has to show that it is better: where the camera
refuses it, breaks off or is late by it, UDP is gone back to, and TCP left alone for long. A camera
that cannot be opened at all says nothing of TCP, unless it can be by UDP right after.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from contracts.cameras import RtspTransport
from ingest.errors import CredentialsRefused, SourceError, TransportRefused
from ingest.health import WAITING_SHARE

SETTLED_S: Final = 10.0
"""What a connection is judged by: its last seconds, and not before it has stood for so long."""
DAMAGED_SHARE_MAX: Final = 0.2
"""Of the pictures within these seconds. One burst of losses damages less, a tenth of a second's
packets more."""
LOSSY_SECONDS_MIN: Final = 3
"""In so many of these seconds packets got lost: else it was one burst, or the camera itself."""
SILENT_MAX: Final = 2
"""So many connections one after the other that stand and bring nothing by UDP: it is blocked."""
PACKETS_MIN: Final = 8
"""Of video, within these seconds. A share of fewer says little."""
UNOPENED_MAX: Final = 3
"""After so many connections by TCP one after the other that could not be opened, UDP is asked. If
pictures come by that, it was TCP; if none do, the camera is away, or this machine at its end."""
TRIAL_S: Final = 30.0
"""Within it TCP has to bring pictures in time."""
AGAIN_S: Final = 1800.0
"""TCP that failed without being refused is not tried again sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changeover:
    """From one carrier to the other.

    Attributes:
        cause: In words for the operator, without secrets.
        lasted_s: For how long the one before was asked for.
    """

    before: RtspTransport
    after: RtspTransport
    cause: str
    lasted_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What came with one packet of video.

    Attributes:
        pictures: Given on or left out.
        damaged: Those of them that arrived damaged, or rest on what did.
        lost_total: Packets that this connection has lost on the way so far.
        waiting: Share (0..1) of the last seconds that the reader waited for more to come.
        is_punctual: Whether pictures come in time to be shown.
        is_thinned: Whether key pictures alone are decoded, for want of time.
    """

    pictures: int
    damaged: int = 0
    lost_total: int = 0
    waiting: float = 1.0
    is_punctual: bool = True
    is_thinned: bool = False


@dataclass(slots=True)
class _Second:
    number: int
    packets: int = 0
    pictures: int = 0
    damaged: int = 0
    has_loss: bool = False


class Carrier:
    """The carrier of one camera, for as long as its source is read.

    Args:
        wanted: As it is set.
        now_s: Monotonic time of the beginning; all times after it never decrease.

    Attributes:
        transport: To be asked for at the next connection.
    """

    def __init__(self, wanted: RtspTransport, *, now_s: float) -> None:
        self._may_change = wanted is RtspTransport.UDP
        self.transport = wanted
        self._since_s = self._opened_s = now_s
        self._seconds: deque[_Second] = deque()
        self._lost = 0
        self._is_open = self._has_brought = False
        self._silent = self._unopened = 0
        self._is_on_trial = self._is_in_doubt = False
        self._why_not_tcp = "`transport = udp_only` keeps it from TCP"
        self._again_s = float("-inf") if self._may_change else float("inf")

    @property
    def advice(self) -> str:
        """What to say where pictures arrive damaged and TCP is not gone over to; else empty."""
        is_lossy = self.transport is not RtspTransport.TCP
        return self._why_not_tcp if is_lossy and self._again_s > self._since_s else ""

    def connecting(self) -> None:
        """Note that a new connection is tried."""
        self._is_open = self._has_brought = False

    def opened(self, *, now_s: float) -> None:
        """Note that a new connection stands."""
        self._is_open, self._has_brought, self._unopened = True, False, 0
        self._lost = 0
        self._begin(now_s)

    def note(self, brought: Brought, *, now_s: float) -> Changeover | None:
        """Take in what came; return where to go over to, if it is time for that."""
        if not self._may_change:
            return None
        self._silent, self._has_brought = 0, True
        if self.transport is RtspTransport.TCP:
            return self._try(brought, now_s)
        self._is_in_doubt = False
        self._count(brought, now_s)
        if brought.is_thinned:  # few of them are decoded, and packets get lost for want of time
            self._begin(now_s)
        if now_s - self._opened_s < SETTLED_S or now_s < self._again_s:
            return None
        if brought.waiting < WAITING_SHARE:  # this machine loses them, and would be late by TCP
            return None
        if sum(second.packets for second in self._seconds) < PACKETS_MIN:
            return None
        pictures = sum(second.pictures for second in self._seconds)
        damaged = sum(second.damaged for second in self._seconds)
        share = damaged / pictures if pictures else 1.0
        lossy = sum(second.has_loss for second in self._seconds)
        if share <= DAMAGED_SHARE_MAX or lossy < LOSSY_SECONDS_MIN:
            return None
        return self._go_over(
            f"by UDP {share:.0%} of its pictures arrived damaged within {SETTLED_S:g} s "
            f"(allowed: {DAMAGED_SHARE_MAX:.0%})",
            now_s,
        )

    def failed(self, error: SourceError, *, now_s: float) -> Changeover | None:
        """Take in that a connection failed; return where to go over to, if that may help."""
        was_open, was_silent = self._is_open, self._is_open and not self._has_brought
        self.connecting()
        if not self._may_change or isinstance(error, CredentialsRefused):
            return None
        if self._is_on_trial:
            return self._fail(error, now_s, was_open=was_open)
        if self.transport is RtspTransport.TCP:
            return None
        if self._is_in_doubt:  # by UDP nothing comes either: it was not TCP
            self._is_in_doubt = False
            self._again_s = float("-inf")
        if now_s < self._again_s:
            return None
        if isinstance(error, TransportRefused):
            return self._go_over(error.fact, now_s)
        self._silent += was_silent
        if self._silent < SILENT_MAX:
            return None
        self._silent = 0
        return self._go_over(
            f"{SILENT_MAX} times it was opened by UDP and nothing came (is a firewall between?)",
            now_s,
        )

    def _begin(self, now_s: float) -> None:
        """Judge by what comes from now on."""
        self._opened_s = now_s
        self._seconds.clear()

    def _count(self, brought: Brought, now_s: float) -> None:
        number = int(now_s)
        if not self._seconds or self._seconds[-1].number != number:
            self._seconds.append(_Second(number))
        while self._seconds[0].number <= number - SETTLED_S:
            self._seconds.popleft()
        second = self._seconds[-1]
        second.packets += 1
        second.pictures += brought.pictures
        second.damaged += brought.damaged
        second.has_loss |= brought.lost_total > self._lost
        self._lost = brought.lost_total

    def _try(self, brought: Brought, now_s: float) -> Changeover | None:
        """See whether TCP does better."""
        if brought.is_thinned and not brought.is_punctual:  # it is this machine that is late
            self._begin(now_s)
        stood_s = now_s - self._opened_s
        if not self._is_on_trial or stood_s < SETTLED_S:
            return None
        if brought.is_punctual:
            self._is_on_trial = False
            return None
        if stood_s < TRIAL_S:
            return None
        return self._go_back("its pictures come too late to be shown", now_s)

    def _fail(self, error: SourceError, now_s: float, *, was_open: bool) -> Changeover | None:
        """See whether a connection that failed within TCP's trial failed for TCP."""
        if isinstance(error, TransportRefused):
            return self._go_back(error.fact, now_s, is_final=True)
        if was_open:
            return self._go_back(error.reason, now_s)
        self._unopened += 1
        if self._unopened < UNOPENED_MAX:
            return None
        change = self._go_back(error.reason, now_s)
        self._is_in_doubt = True
        return change

    def _go_over(self, why: str, now_s: float) -> Changeover:
        self._is_on_trial = True
        self._unopened = 0
        return self._change(
            RtspTransport.TCP,
            f"{why}; it is read by TCP from now on. Set its transport to tcp, or to udp_only to "
            "forbid this",
            now_s,
        )

    def _go_back(self, why: str, now_s: float, *, is_final: bool = False) -> Changeover:
        self._is_on_trial = False
        self._again_s = float("inf") if is_final else now_s + AGAIN_S
        again = "" if is_final else f"; TCP is tried again in {AGAIN_S / 60:.0f} min at the soonest"
        self._why_not_tcp = f"TCP was tried and did not work ({why})"
        return self._change(
            RtspTransport.UDP,
            f"by TCP it does not work: {why}; it is read by UDP again{again}",
            now_s,
        )

    def _change(self, after: RtspTransport, cause: str, now_s: float) -> Changeover:
        change = Changeover(
            before=self.transport, after=after, cause=cause, lasted_s=now_s - self._since_s
        )
        self.transport, self._since_s = after, now_s
        self.connecting()
        return change
