import pytest

from tests.fakes.web import FakeWeb, WebClient

PASSWORD = "correct horse battery"  # noqa: S105  # of a test's user


def test_a_link_begins_a_session_in_a_cookie_that_scripts_cannot_read(
    web: FakeWeb, stranger: WebClient
) -> None:
    answer = stranger.post("/api/v1/sign-in", json={"link": web.link_secret()})

    assert answer.status_code == 200
    assert answer.json()["signed_in_by"] == "link"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("vigil_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie


def test_behind_tls_the_cookie_is_bound_to_host_and_https() -> None:
    web = FakeWeb()
    web.settings = web.settings.model_copy(update={"secure_cookies": True})
    with WebClient(web.app()) as client:
        answer = client.post("/api/v1/sign-in", json={"link": web.link_secret()})

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-vigil_session=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_a_used_link_is_refused(web: FakeWeb, stranger: WebClient) -> None:
    secret = web.link_secret()
    stranger.post("/api/v1/sign-in", json={"link": secret})

    answer = stranger.post("/api/v1/sign-in", json={"link": secret})

    assert answer.status_code == 401
    assert answer.json()["code"] == "link-not-valid"
    assert secret not in answer.text


def test_a_password_signs_in_and_a_wrong_one_does_not(web: FakeWeb, client: WebClient) -> None:
    assert client.put("/api/v1/me/password", json={"password": PASSWORD}).status_code == 204
    with WebClient(web.app()) as other:
        wrong = other.post("/api/v1/sign-in", json={"name": "admin", "password": "wrong"})
        right = other.post("/api/v1/sign-in", json={"name": "admin", "password": PASSWORD})

    assert (wrong.status_code, wrong.json()["code"]) == (401, "sign-in-refused")
    assert right.json()["has_password"] is True


def test_the_sixth_attempt_within_a_minute_has_to_wait(stranger: WebClient) -> None:
    body = {"name": "admin", "password": "wrong"}
    answers = [stranger.post("/api/v1/sign-in", json=body) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "60"


@pytest.mark.parametrize("body", [{}, {"password": "x"}, {"name": ""}])
def test_signing_in_with_nothing_is_explained(stranger: WebClient, body: dict[str, str]) -> None:
    answer = stranger.post("/api/v1/sign-in", json=body)

    assert answer.status_code == 422
    assert "a link, or a name and a password" in answer.json()["detail"]


def test_signing_out_ends_the_session_on_the_server_too(client: WebClient) -> None:
    cookie = client.cookies["vigil_session"]

    assert client.post("/api/v1/sign-out").status_code == 204

    kept = {"Cookie": f"vigil_session={cookie}"}
    assert client.get("/api/v1/me", headers=kept).status_code == 401


def test_a_token_is_shown_once_works_and_can_be_revoked(web: FakeWeb, client: WebClient) -> None:
    made = client.post("/api/v1/tokens", json={"name": "grafana", "expires_in_days": 30}).json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    with WebClient(web.app()) as script:
        assert script.get("/metrics", headers=bearer).text == "vigil_up 1\n"
        [listed] = client.get("/api/v1/tokens").json()["items"]
        assert listed["name"] == "grafana"
        assert listed["last_used_at"] is not None
        assert "token" not in listed

        assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
        assert script.get("/metrics", headers=bearer).status_code == 401
    assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == 404


def test_a_session_cannot_be_revoked_as_if_it_were_a_token(client: WebClient) -> None:
    session_id = client.cookies["vigil_session"].partition(".")[0]

    assert client.delete(f"/api/v1/tokens/{session_id}").status_code == 404
