import json
import sys
from typing import Any

import pytest

from api.probing import Prober
from api.problems import Refusal
from contracts.cameras import SourceSettings, SourceType
from tests.fakes.clips import walker_path

SECRET = "hunter2"  # noqa: S105  # a test's
SOURCE = SourceSettings(source_type=SourceType.RTSP, url=f"rtsp://admin:{SECRET}@camera/x")
ECHO = """
import json, os, sys
print(json.dumps({"problem": "", "url": os.environ["VIGIL_SOURCE"], "arguments": sys.argv}))
"""


def run(script: str, source: SourceSettings = SOURCE) -> dict[str, Any]:
    return Prober(command=[sys.executable, "-c", script]).probe(source)


def test_the_url_travels_in_the_environment_alone() -> None:
    found = run(ECHO)

    assert found["url"] == SOURCE.url
    assert SECRET not in json.dumps(found["arguments"])


def test_a_probe_that_crashes_takes_nothing_along() -> None:
    found = run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")

    assert found == {"problem": "the probe broke off (exit signal 11); is the video damaged?"}


def test_a_real_probe_of_a_file() -> None:
    source = SourceSettings(source_type=SourceType.FILE, url=str(walker_path()))

    found = Prober().probe(source)

    assert (found["problem"], found["codec"], found["width"]) == ("", "h264", 320)


def test_no_more_than_two_at_once() -> None:
    prober = Prober(command=[sys.executable, "-c", ECHO])
    prober._free.acquire()
    prober._free.acquire()

    with pytest.raises(Refusal):
        prober.probe(SOURCE)
