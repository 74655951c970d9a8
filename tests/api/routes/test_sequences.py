"""Sequences across cameras, as they are sent: with a camera's scene."""

from contracts.rules import SceneRules
from tests.fakes.web import FakeWeb, WebClient

GATE = {"id": "gate", "name": "Gate", "source": {"url": "rtsp://192.0.2.7/stream"}}
ZONES = [{"id": "dock", "polygon": [[0, 0], [1, 0], [1, 1]]}]
ACROSS = {
    "zones": ZONES,
    "rules": [
        {"id": "door", "kind": "intrusion", "zone": "dock"},
        {"id": "over-and-in", "kind": "sequence",
         "params": {"first": "yard/fence", "then": "door", "title": "Over and in"}},
    ],
}  # fmt: skip


def test_a_sequence_that_names_an_unknown_camera_is_refused(
    web: FakeWeb, client: WebClient
) -> None:
    client.post("/api/v1/cameras", json=GATE)

    answer = client.put("/api/v1/cameras/gate/scene", json=ACROSS)

    assert answer.status_code == 422
    assert "first names camera 'yard', which is not there; cameras are gate" in answer.text
    stored = web.history.camera("gate")
    assert stored is not None
    assert stored.scene == SceneRules()


def test_a_sequence_across_cameras_comes_back_as_it_was_put(client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)
    client.post("/api/v1/cameras", json={**GATE, "id": "yard"})
    fence = {
        "zones": ZONES,
        "rules": [{"id": "fence", "kind": "intrusion", "zone": "dock"}],
    }
    client.put("/api/v1/cameras/yard/scene", json=fence)

    put = client.put("/api/v1/cameras/gate/scene", json=ACROSS)

    assert put.status_code == 200
    assert put.json()["rules"][1]["params"]["first"] == "yard/fence"
