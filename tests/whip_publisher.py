"""FFmpeg's own WHIP client, in a process of its own: ``python -m tests.whip_publisher URL``.

The token comes in ``WHIP_TOKEN``. PyAV holds the interpreter's lock while FFmpeg connects, so that
a server in the same process could not answer.
"""

import os
import sys
import tempfile
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contracts.clock import SystemClock

FPS = 25


def publish(url: str, token: str, folder: Path) -> None:
    """Send grey pictures until killed."""
    clock = SystemClock()
    certificate, key = make_certificate(folder)
    options = {"authorization": token, "cert_file": str(certificate), "key_file": str(key)}
    with av.open(url, "w", format="whip", options=options) as container:
        stream = container.add_stream(
            "libx264",
            rate=FPS,
            options={"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"},
        )
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.gop_size = FPS
        for index in range(60 * FPS):
            pixels = np.full((240, 320, 3), index % 200, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
            clock.sleep(1 / FPS)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate and its key, on curve P-256, and return their paths.

    FFmpeg built with GnuTLS makes itself one on P-224, which OpenSSL (and so aiortc) refuses;
    RFC 8827, 6.5 asks for P-256.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    now = SystemClock().now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(pem))
    paths[1].write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return paths


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        publish(sys.argv[1], os.environ["WHIP_TOKEN"], Path(temporary))
