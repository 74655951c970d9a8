"""Rows of the fault matrix run by ``make chaos`` alone, against one Vigil for many of them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.matrix import ROWS
from tests.chaos.measured import KEY, KEY_ID, Measured
from tests.chaos.site import Site, bystander_clip
from tests.quirkcam import QuirkCam, Quirks


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", default="", help="rows of the fault matrix to run: C1,P2")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the rows to those who ask for them: together they take a quarter of an hour."""
    is_wanted = "chaos" in (config.option.markexpr or "")
    chosen = set((config.getoption("--rows", default="") or "").split(",")) - {""}
    left_out = [item for item in items if not _is_wanted(item, is_wanted, chosen)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    for item in items:
        if row := item.get_closest_marker("row"):
            item.user_properties.append((KEY_ID, row.args[0]))


def _is_wanted(item: pytest.Item, is_chaos: bool, chosen: set[str]) -> bool:
    if not item.get_closest_marker("chaos"):
        return True
    row = item.get_closest_marker("row")
    return is_chaos and (not chosen or (row is not None and row.args[0] in chosen))


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Iterator[Measured]:
    """What the row of this test measures; the report gets it whatever becomes of the test."""
    marker = request.node.get_closest_marker("row")
    row_id = marker.args[0]
    assert row_id in ROWS
    found = Measured(row_id=row_id)
    yield found
    request.node.user_properties.append((KEY, found.as_property()))


@pytest.fixture(scope="session")
def long_lived() -> Iterator[tuple[QuirkCam, float]]:
    """A camera that cuts idle sessions after 20 s (row C18), and when it began to be watched."""
    quirks = Quirks(
        ends_idle=True, session_timeout_s=20, keep_alive="options", rtcp_keeps_alive=False
    )
    with QuirkCam(bystander_clip(), quirks=quirks) as camera:
        yield camera, time.monotonic()


@pytest.fixture(scope="session")
def shared_site(
    tmp_path_factory: pytest.TempPathFactory, long_lived: tuple[QuirkCam, float]
) -> Iterator[Site]:
    """One whole Vigil for all rows that do not break it; two cameras that nobody disturbs."""
    folder: Path = tmp_path_factory.mktemp("chaos")
    with QuirkCam(bystander_clip()) as bystander, Site.running(folder) as site:
        site.add("bystander", bystander.url)
        site.add("longlived", long_lived[0].url)
        site.until_live("bystander", within_s=40.0)
        yield site


@pytest.fixture
def site(shared_site: Site, measured: Measured) -> Iterator[Site]:
    """The shared Vigil; what it must keep whatever befalls one camera is checked afterwards."""
    with shared_site.nobody_else_affected(measured):
        yield shared_site
