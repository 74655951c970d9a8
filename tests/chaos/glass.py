"""From the lens to the alert, by the number burnt into the picture that proves it."""

from contextlib import suppress
from datetime import datetime
from typing import Any

import httpx

from tests.chaos.site import Site, decoded
from tests.quirkcam import QuirkCam, timecode


def glass_to_alert_s(
    site: Site, camera: QuirkCam, alert: dict[str, Any], *, seen_at: datetime
) -> float | None:
    """Return the seconds from the snapshot's exposure to ``seen_at``; None without a snapshot."""
    with suppress(httpx.HTTPError):
        answer = site.vigil.client.get(f"/api/v1/events/{alert['event_id']}/snapshot.jpg")
        if answer.status_code == httpx.codes.OK:
            number = timecode.read(decoded(answer.content))
            glass_at = None if number is None else camera.glass_at(number, before=seen_at)
            return None if glass_at is None else (seen_at - glass_at).total_seconds()
    return None
