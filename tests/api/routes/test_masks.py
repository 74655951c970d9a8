import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from tests.fakes.web import FakeWeb, WebClient

MASKS = "/api/v1/cameras/gate/masks"
WINDOW = {"id": "window", "name": "Neighbour", "polygon": [[0.1, 0.1], [0.4, 0.1], [0.4, 0.3]]}
STREET = {"id": "street", "name": "", "polygon": [[0, 0.8], [1, 0.8], [1, 1], [0, 1]]}


@pytest.fixture
def site(web: FakeWeb) -> FakeWeb:
    source = SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
    web.history.save_camera(Camera(camera_id="gate", source=source))
    return web


def test_masks_are_stored_published_and_shown(site: FakeWeb, client: WebClient) -> None:
    answer = client.put(MASKS, json={"masks": [WINDOW, STREET]})

    assert answer.status_code == 200
    assert answer.json() == {"masks": [WINDOW, STREET], "version": 2, "in_force": True}
    assert client.get(MASKS).json() == answer.json()
    [published] = site.publisher.published[-1]
    assert [mask.zone_id for mask in published.masks] == ["window", "street"]
    assert published.masks[0].polygon == ((0.1, 0.1), (0.4, 0.1), (0.4, 0.3))
    assert client.get("/api/v1/cameras/gate").json()["masks"] == ["Neighbour", "street"]


def test_each_edit_says_who_made_it_and_what_was_before(site: FakeWeb, client: WebClient) -> None:
    client.put(MASKS, json={"masks": [WINDOW]})
    token = client.post("/api/v1/tokens", json={"name": "installer"}).json()["token"]
    client.put(MASKS, json={"masks": []}, headers={"Authorization": f"Bearer {token}"})

    last, first = client.get(f"{MASKS}/edits").json()["items"]

    assert (first["before"], first["after"]) == ([], [WINDOW])
    assert (first["by"], first["signed_in_by"]) == ("admin", "link")
    assert (last["before"], last["after"]) == ([WINDOW], [])
    assert (last["by"], last["signed_in_by"]) == ("admin", "installer")


def test_the_same_masks_again_change_nothing(site: FakeWeb, client: WebClient) -> None:
    client.put(MASKS, json={"masks": [WINDOW]})
    told = len(site.publisher.published)

    assert client.put(MASKS, json={"masks": [WINDOW]}).json()["version"] == 2

    assert len(client.get(f"{MASKS}/edits").json()["items"]) == 1
    assert len(site.publisher.published) == told


def test_what_ingest_was_not_told_is_stored_and_not_called_in_force(
    site: FakeWeb, client: WebClient
) -> None:
    site.publisher.is_down = True
    answer = client.put(MASKS, json={"masks": [WINDOW]})
    assert answer.status_code == 202
    assert answer.json() == {"masks": [WINDOW], "version": 2, "in_force": False}
    assert client.put(MASKS, json={"masks": [WINDOW]}).status_code == 202, "the same again"
    assert client.get(MASKS).json()["in_force"] is False
    assert len(client.get(f"{MASKS}/edits").json()["items"]) == 1

    site.publisher.is_down = False
    client.patch("/api/v1/cameras/gate", json={"name": "Main gate"})
    assert client.get(MASKS).json()["in_force"] is True


def test_masks_that_were_told_before_the_queue_went_away_are_in_force(
    site: FakeWeb, client: WebClient
) -> None:
    client.put(MASKS, json={"masks": [WINDOW]})
    site.publisher.is_down = True

    assert client.get(MASKS).json()["in_force"] is True
    assert client.put(MASKS, json={"masks": []}).json()["in_force"] is False
    assert client.put(MASKS, json={"masks": [WINDOW]}).status_code == 200, "never lifted"


def test_an_edit_does_not_overwrite_one_that_it_has_not_seen(
    site: FakeWeb, client: WebClient
) -> None:
    client.put(MASKS, json={"masks": [WINDOW], "version": 1})

    answer = client.put(MASKS, json={"masks": [STREET], "version": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "camera-changed")
    assert client.get(MASKS).json()["masks"] == [WINDOW]

    assert client.put(MASKS, json={"masks": [WINDOW], "version": 1}).status_code == 200, "the same"
    assert client.put(MASKS, json={"masks": [STREET], "version": 2}).status_code == 200


def test_other_edits_leave_masks_alone(site: FakeWeb, client: WebClient) -> None:
    client.put(MASKS, json={"masks": [WINDOW]})

    client.patch("/api/v1/cameras/gate", json={"name": "Main gate"})
    client.put("/api/v1/cameras/gate/scene", json={"zones": [], "rules": []})

    assert client.get(MASKS).json()["masks"] == [WINDOW]
    assert len(client.get(f"{MASKS}/edits").json()["items"]) == 1


def test_masks_that_go_with_their_camera_are_told_as_well(site: FakeWeb, client: WebClient) -> None:
    client.put(MASKS, json={"masks": [WINDOW]})
    assert client.delete("/api/v1/cameras/gate").status_code == 204

    last, _ = client.get(f"{MASKS}/edits").json()["items"]

    assert (last["before"], last["after"]) == ([WINDOW], [])


def test_a_camera_without_masks_leaves_no_line(site: FakeWeb, client: WebClient) -> None:
    client.delete("/api/v1/cameras/gate")

    assert client.get(f"{MASKS}/edits").json()["items"] == []


def test_a_change_that_is_not_stored_leaves_no_line(site: FakeWeb, client: WebClient) -> None:
    assert client.put("/api/v1/cameras/other/masks", json={"masks": [WINDOW]}).status_code == 404

    assert client.get("/api/v1/cameras/other/masks/edits").json()["items"] == []


@pytest.mark.parametrize(
    ("mask", "problem"),
    [
        pytest.param(
            {**WINDOW, "polygon": [[0, 0], [1, 1]]}, "at least 3 points", id="two corners"
        ),
        pytest.param({**WINDOW, "polygon": [[0, 0], [2, 0], [0, 1]]}, "0..1", id="outside"),
        pytest.param({**WINDOW, "id": "A B"}, "zone id must be", id="no name"),
        pytest.param(
            {**WINDOW, "polygon": [[0, 0, 0], [1, 0], [0, 1]]}, "2 items", id="a third axis"
        ),
    ],
)
def test_what_cannot_be_covered_is_refused_and_nothing_changes(
    site: FakeWeb, client: WebClient, mask: dict[str, object], problem: str
) -> None:
    answer = client.put(MASKS, json={"masks": [STREET, mask]})

    assert answer.status_code == 422
    assert problem in answer.text
    assert client.get(MASKS).json()["masks"] == []


def test_two_masks_of_one_name_are_refused(site: FakeWeb, client: WebClient) -> None:
    answer = client.put(MASKS, json={"masks": [WINDOW, {**STREET, "id": "window"}]})

    assert answer.status_code == 422
    assert "stand more than once" in answer.text
