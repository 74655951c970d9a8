"""Pictures and clips as HTTP answers: validators, 304, and byte ranges so that browsers can seek.

Source: RFC 9110, sections 13 (conditional requests) and 14 (range requests).
"""

import re
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from api.problems import Refusal

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_REVALIDATE: Final = "private, no-cache"
"""A browser may keep it and must ask each time, so that nothing is shown after signing out."""


def content_response(request: Request, content: bytes, *, media_type: str, etag: str) -> Response:
    """Return ``content`` whole (200), a part (206), or nothing where the client has it (304).

    One byte range is honoured, with ``If-Range``; several at once are answered with the whole, as
    the RFC allows.

    Args:
        request: Whose conditional and range headers count.
        content: The whole.
        media_type: Of the content.
        etag: Strong validator without quotes.

    Raises:
        Refusal: 416, the range lies outside.
    """
    quoted = f'"{etag}"'
    headers = {"ETag": quoted, "Cache-Control": _REVALIDATE, "Accept-Ranges": "bytes"}
    if is_known(request, quoted):
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("Range", "")
    if_range = request.headers.get("If-Range", quoted)
    span = _span(wanted, len(content)) if wanted and if_range == quoted else None
    if span is None:
        return Response(content, media_type=media_type, headers=headers)
    start, end = span
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return Response(content[start:end], status_code=206, media_type=media_type, headers=headers)


def is_known(request: Request, quoted_etag: str) -> bool:
    """Say whether the client has this version already (``If-None-Match``)."""
    wanted = request.headers.get("If-None-Match", "")
    known = {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
    return quoted_etag in known or "*" in known


def _span(wanted: str, size: int) -> tuple[int, int] | None:
    """Return the half-open span of the one range; None if it is to be ignored."""
    match = _RANGE.fullmatch(wanted.replace(" ", ""))
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= end:
        raise Refusal(
            416,
            "range-outside",
            f"the content has {size} bytes",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, end
