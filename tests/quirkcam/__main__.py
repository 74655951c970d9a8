"""A camera in a process of its own, that can be stopped and killed: prints its port."""

import sys
import threading
from pathlib import Path

from tests.quirkcam.camera import QuirkCam

if __name__ == "__main__":
    with QuirkCam(Path(sys.argv[1]), port=int(sys.argv[2]) if len(sys.argv) > 2 else 0) as camera:
        sys.stdout.write(f"{camera.port}\n")
        sys.stdout.flush()
        threading.Event().wait()
