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
    """Return the seconds from the newest kept frame's exposure to ``seen_at``; None without one.

    The snapshot has things drawn over it; the frames that are kept beside it have not.
    """
    event = f"/api/v1/events/{alert['event_id']}"
    with suppress(httpx.HTTPError, KeyError):
        items = site.vigil.client.get(f"{event}/evidence").json()["items"]
        kept = [item for item in items if item["kind"] == "frame" and item["url"]]
        newest = max(kept, key=lambda item: str(item["captured_at"]), default=None)
        if newest is None:
            return None
        answer = site.vigil.client.get(newest["url"])
        if answer.status_code == httpx.codes.OK:
            number = timecode.read(decoded(answer.content))
            glass_at = None if number is None else camera.glass_at(number, before=seen_at)
            return None if glass_at is None else (seen_at - glass_at).total_seconds()
    return None
