"""How often somebody may try to sign in."""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from api.problems import Refusal
from contracts.clock import Clock

_FREE_ATTEMPTS: Final = 5
_FIRST_WAIT_S: Final = 60.0
_LONGEST_WAIT_S: Final = 3600.0
_KEYS: Final = 10_000


@dataclass(slots=True)
class _Attempts:
    count: int
    last_s: float
    free_at_s: float


class SignInThrottle:
    """Five attempts a minute for each key; then a wait that doubles up to an hour.

    An attempt counts before its outcome is known, so that many at once do not slip through. A
    minute without attempts forgives the first four; more are forgiven after two hours. At most
    10,000 keys are kept, the longest unused go first.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._attempts: OrderedDict[str, _Attempts] = OrderedDict()

    def attempt(self, key: str) -> None:
        """Count an attempt.

        Raises:
            Refusal: 429 with ``Retry-After``; the attempt must not be made.
        """
        with self._lock:
            now_s = self._clock.monotonic_s()
            entry = self._attempts.get(key)
            if entry is None or now_s - entry.last_s >= self._memory_s(entry):
                entry = _Attempts(count=0, last_s=now_s, free_at_s=now_s)
                self._attempts[key] = entry
            if now_s < entry.free_at_s:
                wait_s = math.ceil(entry.free_at_s - now_s)
                raise Refusal(
                    429,
                    "too-many-attempts",
                    f"too many attempts to sign in; try again in {wait_s} s",
                    headers={"Retry-After": str(wait_s)},
                )
            entry.count += 1
            entry.last_s = now_s
            if entry.count >= _FREE_ATTEMPTS:
                wait_s = _FIRST_WAIT_S * 2 ** min(entry.count - _FREE_ATTEMPTS, 10)
                entry.free_at_s = now_s + min(wait_s, _LONGEST_WAIT_S)
            self._attempts.move_to_end(key)
            while len(self._attempts) > _KEYS:
                self._attempts.popitem(last=False)

    def succeed(self, key: str) -> None:
        """Forget the attempts of somebody who got in."""
        with self._lock:
            self._attempts.pop(key, None)

    @staticmethod
    def _memory_s(entry: _Attempts) -> float:
        return _FIRST_WAIT_S if entry.count < _FREE_ATTEMPTS else 2 * _LONGEST_WAIT_S
