"""The dashboard's pages and their assets, read once at start: no path reaches the disk."""

import hashlib
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.access import ADMIN, PUBLIC
from api.content import content_response
from api.problems import not_found

router = APIRouter(include_in_schema=False)

_WEB: Final = Path(__file__).parent.parent / "web"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8",
}


def _load(folder: Path) -> dict[str, tuple[bytes, str, str]]:
    """Return ``name -> (content, media type, etag)`` of a folder's files."""
    found: dict[str, tuple[bytes, str, str]] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in _TYPES:
            content = file.read_bytes()
            etag = hashlib.sha256(content).hexdigest()[:32]
            found[file.name] = (content, _TYPES[file.suffix], etag)
    return found


_OPEN: Final = _load(_WEB / "open")
_APP: Final = _load(_WEB / "app")


@router.get("/sign-in", openapi_extra=PUBLIC, response_class=HTMLResponse)
async def sign_in_page(request: Request) -> Response:
    """Show the sign-in page."""
    return _serve(request, _OPEN, "sign-in.html")


@router.get("/open/{name}", openapi_extra=PUBLIC, response_class=Response)
async def open_asset(request: Request, name: str) -> Response:
    """Return an asset that the sign-in page needs."""
    return _serve(request, _OPEN, name)


@router.get("/app/{name}", openapi_extra=ADMIN, response_class=Response)
async def app_asset(request: Request, name: str) -> Response:
    """Return an asset of the other pages."""
    return _serve(request, _APP, name)


@router.get("/", openapi_extra=ADMIN, response_class=HTMLResponse)
async def overview_page(request: Request) -> Response:
    """Show the overview: live tiles and alerts."""
    return _serve(request, _APP, "overview.html")


@router.get("/alerts/{alert_id}", openapi_extra=ADMIN, response_class=HTMLResponse)
async def alert_page(request: Request, alert_id: str) -> Response:
    """Show one alert; the page asks the API whether there is one of this id."""
    del alert_id
    return _serve(request, _APP, "alert.html")


@router.get("/cameras", openapi_extra=ADMIN, response_class=HTMLResponse)
async def cameras_page(request: Request) -> Response:
    """Show the cameras and what became of their frames."""
    return _serve(request, _APP, "cameras.html")


@router.get("/cameras/{camera_id}/publish", openapi_extra=ADMIN, response_class=HTMLResponse)
async def publish_page(request: Request, camera_id: str) -> Response:
    """Show the page that makes the browser's device a camera: the one that may use its media."""
    del camera_id
    response = _serve(request, _APP, "publish.html")
    response.headers["Permissions-Policy"] = "camera=(self), microphone=(self), geolocation=()"
    return response


@router.get("/cameras/{camera_id}/masks", openapi_extra=ADMIN, response_class=HTMLResponse)
async def masks_page(request: Request, camera_id: str) -> Response:
    """Show the page that draws a camera's privacy masks."""
    del camera_id
    return _serve(request, _APP, "masks.html")


@router.get("/account", openapi_extra=ADMIN, response_class=HTMLResponse)
async def account_page(request: Request) -> Response:
    """Show password and API tokens."""
    return _serve(request, _APP, "account.html")


def _serve(request: Request, files: dict[str, tuple[bytes, str, str]], name: str) -> Response:
    if name not in files:
        raise not_found("file")
    content, media_type, etag = files[name]
    return content_response(request, content, media_type=media_type, etag=etag)
