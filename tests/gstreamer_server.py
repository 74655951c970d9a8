"""GStreamer's RTSP server in a process of the system's Python: a server that nobody here wrote.

Run as a script it serves one H.264 file and prints its port; ``serve`` is for tests.
"""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SYSTEM_PYTHON = "/usr/bin/python3"
_PROBE = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
)


def is_available() -> bool:
    """Say whether the system's packages are there."""
    if not Path(SYSTEM_PYTHON).exists():
        return False
    probe = subprocess.run([SYSTEM_PYTHON, "-c", _PROBE], capture_output=True, check=False)
    return probe.returncode == 0


@contextmanager
def serve(path: Path) -> Iterator[str]:
    """Yield the URL at which GStreamer serves an MP4 with H.264."""
    process = subprocess.Popen(
        [SYSTEM_PYTHON, __file__, str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port.isdigit(), "the GStreamer server did not start"
        yield f"rtsp://127.0.0.1:{port}/clip"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _main() -> None:
    gi: Any = importlib.import_module("gi")  # the system's Python has it, ours does not
    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    glib, gst, rtsp = (
        importlib.import_module(f"gi.repository.{name}")
        for name in ("GLib", "Gst", "GstRtspServer")
    )
    gst.init(None)
    server = rtsp.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = rtsp.RTSPMediaFactory()
    factory.set_launch(
        f'( filesrc location="{sys.argv[1]}" ! qtdemux ! h264parse config-interval=1 '
        "! rtph264pay name=pay0 pt=96 )"
    )
    server.get_mount_points().add_factory("/clip", factory)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    glib.MainLoop().run()


if __name__ == "__main__":
    _main()
