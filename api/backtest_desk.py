"""Back-tests for the web: one at a time, of a bounded span, given up when they take too long."""

import threading
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from api.backtest import Question, answer
from api.problems import Refusal, bad_field
from contracts.clock import Clock
from vision.archive.port import TrackShelf
from vision.backtest.answer import BackTester

LONGEST: Final = timedelta(days=7)
LIMIT_S: Final = 60.0
"""A question that takes longer is for the command line."""


class BackTestDesk:
    """Answers one question after another; called in worker threads, never in the event loop.

    Args:
        shelf: The archive of tracks.
        close_after_s: As in vision's settings.
        time_zone: Of the site, for schedules and days.
        clock: For how long an answer takes.
    """

    def __init__(
        self, shelf: TrackShelf, *, close_after_s: float, time_zone: tzinfo, clock: Clock
    ) -> None:
        self._shelf = shelf
        self._tester = BackTester(shelf, close_after_s=close_after_s, time_zone=time_zone)
        self._time_zone = time_zone
        self._clock = clock
        self._is_busy = threading.Lock()

    def span(
        self, *, hours: float | None, start: datetime | None, end: datetime | None
    ) -> tuple[datetime, datetime]:
        """Return the span that a request asks about; the last 24 hours if it says nothing.

        Raises:
            Refusal: It is empty or longer than ``LONGEST``, or given twice.
        """
        if hours is not None and start is not None:
            raise bad_field("hours", "give either hours or from")
        end = end or self._clock.now()
        start = start or end - timedelta(hours=24.0 if hours is None else hours)
        if start >= end:
            raise bad_field("from", "must lie before to")
        if end - start > LONGEST:
            raise bad_field(
                "from",
                f"a request may ask about {LONGEST.days} days; for more there is vigil backtest",
            )
        return start, end

    def ask(self, question: Question) -> dict[str, Any]:
        """Return the answer.

        Raises:
            Refusal: 404, nothing is stored of the time; 503, another one is being answered, or
                this one takes too long.
        """
        if not self._is_busy.acquire(blocking=False):
            raise Refusal(
                503,
                "back-test-running",
                "another back-test is being answered; try again when it is done",
                headers={"Retry-After": "5"},
            )
        try:
            found = self._answered(question)
        finally:
            self._is_busy.release()
        if not found["frames"]:
            raise Refusal(404, "no-tracks", self._nothing_there(question))
        return found

    def _answered(self, question: Question) -> dict[str, Any]:
        began_s = self._clock.monotonic_s()

        def tick() -> None:
            if self._clock.monotonic_s() - began_s > LIMIT_S:
                raise Refusal(
                    503,
                    "back-test-too-long",
                    f"it takes longer than {LIMIT_S:g} s; ask about less time or fewer rules, or "
                    "use vigil backtest",
                )

        return answer(question, self._tester, time_zone=self._time_zone, tick=tick)

    def _nothing_there(self, question: Question) -> str:
        span = self._shelf.span(question.camera_id)
        if span is None:
            return "no tracks of this camera are stored (yet)"
        return (
            f"no tracks are stored of this time; there are some of {span[0]:%Y-%m-%d %H:%M} to "
            f"{span[1]:%Y-%m-%d %H:%M} (UTC)"
        )
