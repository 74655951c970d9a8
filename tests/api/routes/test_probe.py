from tests.fakes.web import FakeWeb, WebClient

URL = "rtsp://admin:hunter2@camera/x"


def test_what_was_found_is_told() -> None:
    web = FakeWeb()
    web.found = {"problem": "", "codec": "h264", "width": 640, "advice": ["set NTP"], "more": 1}
    with WebClient(web.app()) as client:
        answer = client.sign_in(web).post("/api/v1/cameras/probe", json={"source": {"url": URL}})

    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["ok"], found["codec"], found["advice"]) == (True, "h264", ["set NTP"])
    assert [source.url for source in web.probed] == [URL]


def test_a_camera_that_cannot_be_read_is_no_error_of_the_request() -> None:
    web = FakeWeb()
    web.found = {"problem": "rtsp://***@camera/x refused the credentials (401)"}
    with WebClient(web.app()) as client:
        answer = client.sign_in(web).post("/api/v1/cameras/probe", json={"source": {"url": URL}})

    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    assert "hunter2" not in answer.text


def test_what_is_no_source_is_refused() -> None:
    web = FakeWeb()
    with WebClient(web.app()) as client:
        body = {"source": {"url": "ftp://camera/x"}}
        answer = client.sign_in(web).post("/api/v1/cameras/probe", json=body)

    assert answer.status_code == 422
    assert web.probed == []
