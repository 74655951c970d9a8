from collections.abc import Iterator

import pytest

from contracts.errors import ModelError
from moe_core.model.expert_use import ExpertUse
from moe_core.report import ReasonerReport
from tests.fakes.archive import InMemoryHistory
from tests.fakes.web import FakeWeb, WebClient


@pytest.fixture
def without_database() -> Iterator[WebClient]:
    """A stranger to an app whose database cannot be reached."""
    history = InMemoryHistory()
    history.is_down = True
    with WebClient(FakeWeb(history=history).app()) as client:
        yield client


def test_alive_asks_nobody(without_database: WebClient) -> None:
    assert without_database.get("/healthz").json() == {"status": "alive"}


def test_ready_while_everything_is_there(stranger: WebClient) -> None:
    answer = stranger.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_a_missing_stage_is_named(web: FakeWeb, stranger: WebClient) -> None:
    web.health.there.remove("vision")

    answer = stranger.get("/readyz")

    assert answer.status_code == 503
    assert [part["name"] for part in answer.json()["parts"] if not part["ok"]] == ["vision"]


def test_without_the_queue_nothing_is_known_of_the_stages(
    web: FakeWeb, stranger: WebClient
) -> None:
    web.health.is_reachable = False

    parts = {part["name"]: part["ok"] for part in stranger.get("/readyz").json()["parts"]}

    assert parts == {
        "database": True,
        "queue": False,
        "ingest": False,
        "vision": False,
        "moe_core": False,
        "alerts": False,
    }


def test_without_the_database_it_is_not_ready(without_database: WebClient) -> None:
    parts = {part["name"]: part["ok"] for part in without_database.get("/readyz").json()["parts"]}

    assert parts["database"] is False


def test_the_dashboard_gets_the_stages_with_status_200(web: FakeWeb, client: WebClient) -> None:
    web.health.there.remove("vision")

    answer = client.get("/api/v1/system")

    assert (answer.status_code, answer.json()["status"]) == (200, "not-ready")
    assert [stage["stage"] for stage in answer.json()["stages"]] == ["ingest", "moe_core", "alerts"]


def test_version(client: WebClient) -> None:
    assert client.get("/api/v1/version").json() == {
        "name": "vigil",
        "version": "1.2.3",
        "api": "v1",
    }


def test_metrics_are_prometheus_text(client: WebClient) -> None:
    answer = client.get("/metrics")

    assert answer.text == "vigil_up 1\n"
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_who_reasons_is_told_without_where_its_weights_lie(web: FakeWeb, client: WebClient) -> None:
    use = ExpertUse(max_violation=0.5, shared_information=0.25, asked={"fall": (0.75, 0.25)})
    web.reasoner = ReasonerReport(
        reasoner="core", path="/secret/place", sha256="5" * 64, kinds=("fall",),
        floors={"claim": 0.7}, calibration={"scale": 1.5}, layers=(use,),
    )  # fmt: skip

    answer = client.get("/api/v1/reasoner")

    assert "/secret/place" not in answer.text
    told = answer.json()
    assert (told["reasoner"], told["model_sha256"], told["problem"]) == ("core", "5" * 64, "")
    assert told["layers"] == [
        {"max_violation": 0.5, "shared_information": 0.25, "asked": {"fall": [0.75, 0.25]}}
    ]


def test_weights_that_cannot_be_read_leave_the_program_to_reason(web: FakeWeb) -> None:
    def unreadable() -> ReasonerReport:
        raise ModelError("/secret/place: not readable")

    with WebClient(web.app(reasoner=unreadable)) as client:
        told = client.sign_in(web).get("/api/v1/reasoner").json()

    assert told["reasoner"] == "program"
    assert "vigil doctor" in told["problem"]
    assert "/secret" not in told["problem"]
