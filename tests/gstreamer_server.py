"""GStreamer's RTSP server in a process of the system's Python: a server that nobody here wrote.

Run as a script it serves one file (MP4 or Matroska; H.264, H.265 or Motion JPEG) and prints its
port; ``serve`` is for tests. A password travels in the environment: command lines are public.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

SYSTEM_PYTHON = "/usr/bin/python3"
Codec = Literal["h264", "hevc", "mjpeg"]
Audio = Literal["", "aac", "pcmu", "opus"]
_VARIABLE = "GSTREAMER_SERVER"
_PAYERS = {
    "h264": "h264parse config-interval=1 ! rtph264pay name=pay0 pt=96",
    "hevc": "h265parse config-interval=1 ! rtph265pay name=pay0 pt=96",
    "mjpeg": "jpegparse ! rtpjpegpay name=pay0 pt=26",
}
_AUDIO_PAYERS = {
    "aac": "aacparse ! rtpmp4gpay name=pay1 pt=97",
    "pcmu": "rtppcmupay name=pay1 pt=0",
    "opus": "opusparse ! rtpopuspay name=pay1 pt=97",
}
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
def serve(
    path: Path,
    *,
    codec: Codec = "h264",
    audio: Audio = "",
    user: str = "",
    password: str = "",
    scheme: Literal["basic", "digest"] = "digest",
    port: int = 0,
) -> Iterator[str]:
    """Yield the URL, credentials included, at which GStreamer serves a file."""
    wanted = {
        "path": str(path),
        "codec": codec,
        "audio": audio,
        "user": user,
        "password": password,
        "scheme": scheme,
        "port": port,
    }
    process = subprocess.Popen(
        [SYSTEM_PYTHON, __file__],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, _VARIABLE: json.dumps(wanted)},
    )
    try:
        assert process.stdout is not None
        bound = process.stdout.readline().strip()
        assert bound.isdigit(), "the GStreamer server did not start"
        userinfo = f"{user}:{password}@" if user else ""
        yield f"rtsp://{userinfo}127.0.0.1:{bound}/clip"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _main() -> None:
    wanted = json.loads(os.environ[_VARIABLE])
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
    server.set_service(str(wanted["port"]))
    factory = rtsp.RTSPMediaFactory()
    demuxer = "matroskademux" if wanted["path"].endswith(".mkv") else "qtdemux"
    launch = f'filesrc location="{wanted["path"]}" ! {demuxer} name=d ! {_PAYERS[wanted["codec"]]}'
    if wanted["audio"]:
        launch = launch.replace("name=d !", "name=d d. ! queue !")
        launch += f" d. ! queue ! {_AUDIO_PAYERS[wanted['audio']]}"
    factory.set_launch(f"( {launch} )")
    if wanted["user"]:
        _guard(server, factory, rtsp, wanted)
    server.get_mount_points().add_factory("/clip", factory)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    glib.MainLoop().run()


def _guard(server: Any, factory: Any, rtsp: Any, wanted: dict[str, Any]) -> None:  # noqa: ANN401  # of gi
    methods = importlib.import_module("gi.repository.GstRtsp").RTSPAuthMethod
    auth, token = rtsp.RTSPAuth(), rtsp.RTSPToken()
    token.set_string(rtsp.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    if wanted["scheme"] == "basic":
        auth.set_supported_methods(methods.BASIC)
        auth.add_basic(rtsp.RTSPAuth.make_basic(wanted["user"], wanted["password"]), token)
    else:
        auth.set_supported_methods(methods.DIGEST)
        auth.add_digest(wanted["user"], wanted["password"], token)
    server.set_auth(auth)
    permissions = rtsp.RTSPPermissions()
    for permission in (
        rtsp.RTSP_PERM_MEDIA_FACTORY_ACCESS,
        rtsp.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT,
    ):
        permissions.add_permission_for_role("viewer", permission, True)
    factory.set_permissions(permissions)


if __name__ == "__main__":
    _main()
