import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from api.access import RouteRule, rules_of
from tests.fakes.web import FakeWeb, WebClient

RULES = rules_of(FakeWeb().app().routes)
PROTECTED = [(method, rule) for rule in RULES if rule.level != "public" for method in rule.methods]
PUBLIC_PATHS = {
    "GET /healthz",
    "GET /readyz",
    "GET /sign-in",
    "GET /open/{name}",
    "POST /api/v1/sign-in",
}


@pytest.fixture(scope="module")
def outsider() -> Iterator[WebClient]:
    """A client that never signs in; one for all routes."""
    with WebClient(FakeWeb().app()) as client:
        yield client


def concrete(rule: RouteRule) -> str:
    return re.sub(r"\{\w+\}", "x", rule.path)


def name_of(value: object) -> str:
    return value.path if isinstance(value, RouteRule) else str(value)


def test_only_health_and_sign_in_are_public() -> None:
    found = {f"{method} {r.path}" for r in RULES if r.level == "public" for method in r.methods}

    assert found == PUBLIC_PATHS


@pytest.mark.parametrize(("method", "rule"), PROTECTED, ids=name_of)
def test_a_stranger_gets_401(outsider: WebClient, method: str, rule: RouteRule) -> None:
    answer = outsider.request(method, concrete(rule))

    assert answer.status_code == 401
    assert answer.json()["code"] == "sign-in-needed"


@pytest.mark.parametrize(("method", "rule"), PROTECTED, ids=name_of)
def test_a_forged_session_or_token_gets_401(
    outsider: WebClient, method: str, rule: RouteRule
) -> None:
    cookie = {"Cookie": "vigil_session=session_0.00"}
    bearer = {"Authorization": "Bearer vgl_0_00"}

    assert outsider.request(method, concrete(rule), headers=cookie).status_code == 401
    assert outsider.request(method, concrete(rule), headers=bearer).status_code == 401


@pytest.mark.parametrize(
    "path", ["/nowhere", "/docs", "/redoc", "/openapi.json", "/api/v1/nothing", "//", "/app/../x"]
)
def test_a_path_without_a_route_is_refused_like_any_other(outsider: WebClient, path: str) -> None:
    assert outsider.get(path).status_code == 401


@pytest.mark.parametrize("page", ["/", "/cameras", "/alerts/al_1", "/account"])
def test_a_browser_without_session_is_sent_to_the_sign_in_page(
    outsider: WebClient, page: str
) -> None:
    answer = outsider.get(page, headers={"Accept": "text/html,*/*"})

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")


def test_the_sign_in_page_comes_back_to_the_page_asked_for(stranger: WebClient) -> None:
    answer = stranger.get("/alerts/al_1", headers={"Accept": "text/html"})

    assert answer.headers["Location"] == "/sign-in?next=/alerts/al_1"


def test_an_app_with_a_route_that_states_no_rule_does_not_start() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_api_route("/side-door", lambda: "open")

    with pytest.raises(LookupError, match="/side-door"):
        rules_of(app.routes)


def test_a_mounted_folder_states_no_rule_and_is_refused(tmp_path: object) -> None:
    mount = Mount("/files", StaticFiles(directory=str(tmp_path)))

    with pytest.raises(LookupError, match="/files"):
        rules_of([mount])


def test_the_api_description_states_each_rule(client: WebClient) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]

    levels = {operation["x-vigil-access"] for item in paths.values() for operation in item.values()}
    assert levels == {"public", "admin"}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.test"}, id="another origin"),
        pytest.param({"Origin": "null"}, id="an opaque origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="the browser says cross-site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="a neighbouring host"),
    ],
)
def test_an_unsafe_request_with_a_cookie_from_elsewhere_is_refused(
    client: WebClient, headers: dict[str, str]
) -> None:
    answer = client.post("/api/v1/sign-out", headers=headers)

    assert answer.status_code == 403
    assert answer.json()["code"] == "cross-site"
    assert client.get("/api/v1/me").status_code == 200


def test_a_cookie_without_any_origin_is_refused_for_unsafe_methods(web: FakeWeb) -> None:
    with WebClient(web.app()) as client:
        client.sign_in(web)
        cookie = client.cookies["vigil_session"]
        answer = client.post(
            "/api/v1/sign-out", headers={"Origin": "", "Cookie": f"vigil_session={cookie}"}
        )

    assert answer.status_code == 403


def test_the_public_url_of_a_proxy_counts_as_own_origin() -> None:
    web = FakeWeb()
    web.settings = web.settings.model_copy(update={"public_url": "https://cams.example.org"})
    with WebClient(web.app()) as client:
        client.sign_in(web)
        answer = client.post("/api/v1/sign-out", headers={"Origin": "https://cams.example.org"})

    assert answer.status_code == 204


def test_signing_in_from_another_site_is_refused(web: FakeWeb, stranger: WebClient) -> None:
    answer = stranger.post(
        "/api/v1/sign-in",
        json={"link": web.link_secret()},
        headers={"Origin": "https://evil.test"},
    )

    assert answer.status_code == 403


def test_an_api_token_needs_no_origin(web: FakeWeb, client: WebClient) -> None:
    token = client.post("/api/v1/tokens", json={"name": "script"}).json()["token"]
    with WebClient(web.app()) as script:
        answer = script.post(
            "/api/v1/tokens",
            json={"name": "another"},
            headers={"Authorization": f"Bearer {token}", "Origin": "https://elsewhere.test"},
        )

    assert answer.status_code == 201
