"""FFmpeg's own WHIP client, in a process of its own: ``python -m tests.whip_publisher URL``.

The token comes in ``WHIP_TOKEN``; with ``WHIP_SOUND`` a tone sounds while the picture is bright.
PyAV holds the interpreter's lock while FFmpeg connects, so that a server in the same process could
not answer.
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


RATE = 48_000
CHUNK = 960


def publish(url: str, token: str, folder: Path, *, has_sound: bool = False) -> None:
    """Send pictures until killed: ever brighter ones, or with sound bright for 0.4 s of each."""
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
        sound = container.add_stream("libopus", rate=RATE) if has_sound else None
        if isinstance(sound, av.AudioStream):
            sound.codec_context.format = "flt"
        heard = 0
        for index in range(60 * FPS):
            level = (210 if index % FPS < 0.4 * FPS else 40) if has_sound else index % 200
            pixels = np.full((240, 320, 3), level, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
            while isinstance(sound, av.AudioStream) and heard + CHUNK <= (index + 1) * RATE // FPS:
                container.mux(sound.encode(_tone(heard)))
                heard += CHUNK
            clock.sleep(1 / FPS)


def _tone(first: int) -> av.AudioFrame:
    """Sound of 20 ms from a sample on: a tone of 440 Hz in the first 0.4 s of each second."""
    t_s = (first + np.arange(CHUNK)) / RATE
    tone = 0.5 * np.sin(2 * np.pi * 440 * t_s) * (t_s % 1.0 < 0.4)
    samples = np.repeat(tone.astype(np.float32), 2).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
    return frame


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
        publish(
            sys.argv[1],
            os.environ["WHIP_TOKEN"],
            Path(temporary),
            has_sound="WHIP_SOUND" in os.environ,
        )
