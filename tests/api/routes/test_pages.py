import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import api
from tests.fakes.web import FakeWeb, WebClient

WEB = Path(api.__file__).parent / "web"
FILES = sorted(path for path in WEB.rglob("*") if path.is_file())
PAGES = [path for path in FILES if path.suffix == ".html"]


@pytest.fixture(scope="module")
def client() -> Iterator[WebClient]:
    """A signed-in client; one for all pages."""
    web = FakeWeb()
    with WebClient(web.app()) as signed_in:
        yield signed_in.sign_in(web)


def name_of(path: Path) -> str:
    return str(path.relative_to(WEB))


@pytest.mark.parametrize(
    "path", ["/", "/cameras", "/cameras/gate/masks", "/account", "/alerts/al_1"]
)
def test_a_page_is_shown_to_who_is_signed_in(client: WebClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_file_is_served_with_its_type(client: WebClient, file: Path) -> None:
    answer = client.get(f"/{name_of(file)}")

    kinds = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
    assert answer.content == file.read_bytes()
    assert answer.headers["Content-Type"].startswith(kinds.get(file.suffix, "image/svg+xml"))


def test_an_unchanged_file_is_not_sent_again(client: WebClient) -> None:
    etag = client.get("/app/app.css").headers["ETag"]

    assert client.get("/app/app.css", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    "path",
    ["/app/none.js", "/open/..%2Fapp%2Fapp.css", "/app/%2Fetc%2Fpasswd", "/open/overview.html"],
)
def test_nothing_else_is_served(client: WebClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_has_nothing_inline_and_nothing_from_outside(page: Path) -> None:
    text = page.read_text()

    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "inline script"
    assert not re.search(r"<style|\sstyle=|\son\w+=", text), "inline style or handler"
    assert not re.search(r"(?:src|href)=\"(?!/|#)", text), "something that is not ours"


@pytest.mark.parametrize(
    "file", [file for file in FILES if file.suffix in (".js", ".css")], ids=name_of
)
def test_a_script_or_style_asks_no_other_server_and_parses_no_markup(file: Path) -> None:
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")

    assert not re.search(r"https?://", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)


def test_every_module_and_asset_that_is_named_exists() -> None:
    named: set[str] = set()
    for file in FILES:
        if file.suffix in (".html", ".js"):
            named.update(re.findall(r"\"(/(?:app|open)/[\w.-]+)\"", file.read_text()))

    assert len(named) > 10
    assert {path for path in named if not (WEB / path.lstrip("/")).is_file()} == set()
