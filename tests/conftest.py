"""Fixtures that several packages need: a real Redis, the shared data folder."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis
import structlog

from api.transport.redis_server import EmbeddedRedis
from contracts.clock import SystemClock
from vision.detect.backends.driver import has_cuda_driver

# An example that takes long on a busy machine is no defect.
hypothesis.settings.register_profile("vigil", deadline=None)
hypothesis.settings.load_profile("vigil")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("VIGIL_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _default_logging() -> Iterator[None]:
    """A command under test sets logging up for its process, which is ours."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """One real redis-server for the whole session; ``redis_url`` empties it before each test."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"), clock=SystemClock())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    """URL of an empty, real Redis."""
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    client.close()
    return redis_server.url


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared clips and weights; the test is skipped where it is absent."""
    folder = Path(os.environ.get("SHARED_DIR", Path(__file__).parents[2] / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared data at {folder} (set SHARED_DIR)")
    return folder


class _SkipCounter:
    """Counts skipped tests; with ``REQUIRE_ALL=1`` any of them fails the run.

    No machine has a GPU and none: what is skipped for that reason is shown and not held against it.
    """

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        is_of_other_machines = not {"gpu", "no_gpu"}.isdisjoint(report.keywords)
        if report.skipped and not hasattr(report, "wasxfail") and not is_of_other_machines:
            self.skipped.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and os.environ.get("REQUIRE_ALL") == "1":
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            sys.stderr.write(f"\nREQUIRE_ALL=1: {len(self.skipped)} test(s) were skipped\n")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    unfit, reason = ("no_gpu", "there is a CUDA device") if has_cuda_driver() else ("gpu", "no GPU")
    for item in items:
        if item.get_closest_marker(unfit):
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_SkipCounter())
