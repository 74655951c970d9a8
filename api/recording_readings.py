"""Who looked at continuous recordings: written down before anything is given out."""

import threading
from collections import OrderedDict
from datetime import timedelta
from typing import Final

from alerts.history.ports import AuditLog
from api.access import Identity
from api.camera_audit import CameraAuditor
from contracts.clock import Clock
from ingest.recorder.parts import Part

ONE_LOOK: Final = timedelta(minutes=10)
"""A player fetches a part in many pieces, and again when somebody goes back in it."""
_REMEMBERED: Final = 4096


class RecordingReadings:
    """Adds an audit line for each part that somebody is given; safe to use from several threads.

    One sign-in or token that is given the same part again within ``ONE_LOOK`` is one look.

    Args:
        audit: Where lines go.
        clock: For their times.
    """

    def __init__(self, audit: AuditLog, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._lock = threading.Lock()
        self._noted_s: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def note(self, part: Part, identity: Identity) -> None:
        """Write down that somebody looks at a part.

        Raises:
            TransportUnavailable: It cannot be written down; nothing may be given out.
        """
        look = (identity.credential_id, part.camera_id, part.part_id)
        auditor = CameraAuditor(by=identity.name, how=identity.how, at=self._clock.now())
        line = auditor.reading(
            part.camera_id, part_id=part.part_id, starts_at=part.starts_at, ends_at=part.ends_at
        )
        with self._lock:  # over the writing too: who asks at once waits for it, or for its failure
            now_s = self._clock.monotonic_s()
            noted_s = self._noted_s.get(look)
            if noted_s is not None and now_s - noted_s < ONE_LOOK.total_seconds():
                return
            self._audit.add_line(line)
            self._noted_s[look] = now_s
            self._noted_s.move_to_end(look)
            while len(self._noted_s) > _REMEMBERED:
                self._noted_s.popitem(last=False)
