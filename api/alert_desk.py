"""What people do with alerts: acknowledge and resolve, told to every receiver like any revision."""

from typing import Final

import structlog

from alerts.history.ports import AlertArchive, AlertHistory
from alerts.lifecycle import acknowledge, resolve
from alerts.payload import feed_entry
from api.problems import Refusal, not_found
from contracts.alerts import Alert, AlertState, FeedType
from contracts.clock import Clock

log = structlog.get_logger()

_ATTEMPTS: Final = 8
"""The alerts stage may store a revision between our reading and writing; then we read again."""

_MOVES: Final = {
    AlertState.ACKNOWLEDGED: (acknowledge, FeedType.ALERT_ACKNOWLEDGED),
    AlertState.RESOLVED: (resolve, FeedType.ALERT_RESOLVED),
}


class AlertDesk:
    """Moves alerts from open to acknowledged to resolved."""

    def __init__(self, archive: AlertArchive, history: AlertHistory, clock: Clock) -> None:
        self._archive = archive
        self._history = history
        self._clock = clock

    def acknowledge(self, alert_id: str, *, by: str, note: str = "") -> Alert:
        """Say that somebody has seen it; the same again changes nothing.

        Raises:
            Refusal: 404; 409 if it is resolved already.
        """
        return self._move(alert_id, AlertState.ACKNOWLEDGED, by=by, note=note)

    def resolve(self, alert_id: str, *, by: str, note: str = "") -> Alert:
        """Say that it is dealt with; the same again changes nothing. Raises Refusal (404)."""
        return self._move(alert_id, AlertState.RESOLVED, by=by, note=note)

    def _move(self, alert_id: str, to: AlertState, *, by: str, note: str) -> Alert:
        for _ in range(_ATTEMPTS):
            alert = self._archive.alert(alert_id)
            if alert is None:
                raise not_found("alert")
            move, feed_type = _MOVES[to]
            moved = move(alert, by=by, now=self._clock.now(), note=note)
            if moved is None and alert.state is to:
                return alert
            if moved is None:
                raise Refusal(409, "already-resolved", "this alert is resolved already")
            if self._history.store_alert(moved, feed_entry(moved, feed_type)):
                log.info("alert moved", alert_id=alert_id, state=to.value, by=by)
                return moved
        raise Refusal(
            503,
            "temporarily-unavailable",
            "this alert is being revised; try again",
            headers={"Retry-After": "1"},
        )
