"""The loop that delivers the feed to webhooks, for as long as it takes."""

import hashlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Final

import structlog

from alerts import metrics
from alerts.channels.webhook import WebhookChannel, WebhookError
from alerts.history.ports import Delivery, DeliveryHistory, DeliveryState, DueDelivery
from contracts.clock import Clock
from contracts.errors import ConfigError, TransportUnavailable

log = structlog.get_logger()

SCHEDULE_S: Final = (0.0, 5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
"""Wait before each attempt. Source: Standard Webhooks 1.0.0, "Retry schedule"."""
_JITTER: Final = 0.1
"""Each wait is up to this share longer, so that what failed together is not tried together."""
_POLL_S: Final = 0.2
_BACK_OFF_S: Final = 2.0
_WORKERS: Final = 8
_BATCH: Final = 64
_TURN_S: Final = 5.0
"""An endpoint's turn begins no further attempt after this long."""
_HOLD_MAX_S: Final = 300.0
"""What else is due at an endpoint that failed waits as long as the failed delivery, at most this:
an endpoint that is down is knocked at, not hammered, and keeps no thread busy."""


class WebhookRelay:
    """Sends what is due, endpoint by endpoint, on a few threads.

    An endpoint is served by one thread at a time, in the order of the feed, so a slow one holds up
    nobody else. An attempt is recorded after it was made: a relay that dies in between makes it
    again, under the same ``webhook-id``, by which receivers drop the repeat.

    Args:
        history: What is due.
        channel: Makes one attempt.
        timeout_s: Longest time of one attempt.
        clock: For due times.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        channel: WebhookChannel,
        *,
        timeout_s: float,
        clock: Clock,
    ) -> None:
        self._history = history
        self._channel = channel
        # Within this time all that a turn began has ended; nobody else tries it meanwhile.
        self._claim_s = _TURN_S + timeout_s
        self._clock = clock
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="webhooks")
        self._busy: dict[str, Future[None]] = {}

    def run(self, stop: Event) -> None:
        """Deliver until told to stop; attempts that are being made are awaited."""
        try:
            while not stop.is_set():
                try:
                    self.step()
                except (TransportUnavailable, ConfigError) as error:
                    metrics.STORAGE_RETRIES.inc()
                    log.warning("webhooks wait for the database", cause=str(error))
                    stop.wait(_BACK_OFF_S)
                except Exception:
                    log.exception("delivering webhooks failed, going on")
                    stop.wait(_BACK_OFF_S)
                stop.wait(_POLL_S)
        finally:
            self.close()

    def step(self) -> int:
        """Hand out what is due to idle endpoints; return how many deliveries were handed out.

        Raises:
            TransportUnavailable: The database cannot be reached.
        """
        self._busy = {key: task for key, task in self._busy.items() if not task.done()}
        due = self._history.due_deliveries(
            now=self._clock.now(),
            limit=_BATCH,
            claim_s=self._claim_s,
            except_webhooks=sorted(self._busy),
        )
        by_endpoint: dict[str, list[DueDelivery]] = {}
        for item in due:
            by_endpoint.setdefault(item.webhook.webhook_id, []).append(item)
        for webhook_id, items in by_endpoint.items():
            turn_ends_s = self._clock.monotonic_s() + _TURN_S
            self._busy[webhook_id] = self._workers.submit(self._serve, items, turn_ends_s)
        return len(due)

    def wait_idle(self) -> None:
        """Return once everything handed out was tried."""
        for task in list(self._busy.values()):
            task.result()

    def close(self) -> None:
        """Wait for attempts that are being made, then end the threads."""
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _serve(self, items: Sequence[DueDelivery], turn_ends_s: float) -> None:
        """Deliver to one endpoint until it fails or its turn is over."""
        waiting = deque(items)
        try:
            hold_until = None
            while waiting and hold_until is None and self._clock.monotonic_s() < turn_ends_s:
                hold_until = self._deliver(waiting[0])
                waiting.popleft()
            for item in waiting:
                self._give_back(item, hold_until)
        except TransportUnavailable as error:
            log.warning(
                "a webhook attempt could not be recorded and is made again",
                webhook_id=items[0].webhook.webhook_id,
                cause=str(error),
            )
        except Exception:
            log.exception("serving a webhook failed", webhook_id=items[0].webhook.webhook_id)

    def _give_back(self, item: DueDelivery, hold_until: datetime | None) -> None:
        """Make a delivery that was claimed and not tried due again."""
        due_at = item.delivery.next_attempt_at
        if hold_until and due_at:
            due_at = max(due_at, hold_until)
        self._history.record_attempt(replace(item.delivery, next_attempt_at=due_at))

    def _deliver(self, due: DueDelivery) -> datetime | None:
        """Make one attempt and record it; return until when the endpoint is to be left alone."""
        webhook = due.webhook
        began_s = self._clock.monotonic_s()
        try:
            status = self._channel.send(
                due.entry.cloud_event,
                url=webhook.url,
                secret=webhook.secret,
                message_id=due.entry.event_id,
            )
        except WebhookError as error:
            return self._record_failure(due, error, latency_ms=self._since_ms(began_s))
        metrics.DELIVERIES.labels("delivered").inc()
        self._history.record_attempt(
            replace(
                due.delivery,
                state=DeliveryState.DELIVERED,
                attempts=due.delivery.attempts + 1,
                next_attempt_at=None,
                last_status=status,
                last_error="",
                latency_ms=self._since_ms(began_s),
                delivered_at=self._clock.now(),
            )
        )
        return None

    def _record_failure(
        self, due: DueDelivery, error: WebhookError, *, latency_ms: float
    ) -> datetime | None:
        now = self._clock.now()
        attempts = due.delivery.attempts + 1
        wait_s = next_wait_s(attempts, key=due.delivery.delivery_id)
        next_at = None
        if wait_s is not None and not error.is_permanent:
            next_at = now + timedelta(seconds=max(wait_s, error.retry_after_s or 0.0))
        failed = replace(
            due.delivery,
            state=DeliveryState.PENDING if next_at else DeliveryState.DEAD,
            attempts=attempts,
            next_attempt_at=next_at,
            last_status=error.status,
            last_error=str(error),
            latency_ms=latency_ms,
        )
        self._history.record_attempt(failed)
        self._report(failed, error)
        if error.is_gone:
            self._history.disable_webhook(
                due.webhook.webhook_id, reason="the endpoint answered 410 Gone"
            )
            return now
        if error.is_permanent:
            # About this message only: the next one may be taken.
            return None
        hold_s = max(error.retry_after_s or 0.0, min(wait_s or _HOLD_MAX_S, _HOLD_MAX_S))
        return now + timedelta(seconds=hold_s)

    def _report(self, failed: Delivery, error: WebhookError) -> None:
        is_dead = failed.state is DeliveryState.DEAD
        metrics.DELIVERIES.labels("dead" if is_dead else "retry").inc()
        say = log.error if is_dead else log.warning
        say(
            "webhook delivery given up" if is_dead else "webhook delivery failed",
            webhook_id=failed.webhook_id,
            event_id=failed.event_id,
            attempts=failed.attempts,
            status=error.status,
            cause=str(error),
            is_disabled=error.is_gone,
        )

    def _since_ms(self, began_s: float) -> float:
        return (self._clock.monotonic_s() - began_s) * 1000


def next_wait_s(attempts: int, *, key: str) -> float | None:
    """Return the wait before the next attempt in seconds, or None after the last.

    Args:
        attempts: Made so far, at least 1.
        key: Names the delivery; the jitter is derived from it, so that it is the same after a
            restart.
    """
    if attempts >= len(SCHEDULE_S):
        return None
    digest = hashlib.sha256(f"{key}/{attempts}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    return SCHEDULE_S[attempts] * (1.0 + _JITTER * share)
