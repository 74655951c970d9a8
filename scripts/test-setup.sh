#!/usr/bin/env bash
# Bring what tests need from outside Python: Chromium for the pages, GStreamer's RTSP server as a
# server that nobody here wrote, the ffmpeg command as the limit of decoding. Where it cannot be installed, those tests are skipped and say so.
set -euo pipefail

missing=()
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v ffmpeg >/dev/null || missing+=(ffmpeg)
/usr/bin/python3 - 2>/dev/null <<'PY' || missing+=(python3-gi gir1.2-gst-rtsp-server-1.0 \
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly)
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GstRtspServer
PY
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing for the tests: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
    exit 0
  fi
  echo "That did not work; the tests that need them will be skipped." >&2
else
  echo "Not installed: ${missing[*]}. The tests that need them will be skipped;" >&2
  echo "install them with your system's package manager to run all." >&2
fi
