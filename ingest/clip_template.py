"""What a clip needs to know of a stream beside its packets."""

from io import BytesIO
from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream


class ClipTemplate:
    """The codec parameters of a stream, kept beyond the life of its container.

    Attributes:
        codec: Name of the codec.
        problem: Why no clip can be made of this stream; empty if one can.
        stream: For ``add_stream_from_template``; None if there is a problem.
        audio: The same of its sound; None if there is none that is kept.
        audio_problem: Why sound that was to be kept is not; empty if it is, or if there is none.
    """

    def __init__(self, stream: VideoStream, audio: AudioStream | None = None) -> None:
        self.codec = stream.codec_context.codec.canonical_name
        self.problem = ""
        self.stream: VideoStream | None = None
        # A container that never writes owns the copy: the source's own stream is freed with it.
        self._owner: OutputContainer = av.open(BytesIO(), "w", format="mp4")
        try:
            self.stream = self._owner.add_stream_from_template(stream, opaque=True)
        except ValueError:
            self.problem = f"{self.codec} video cannot be kept in MP4"
        self.audio: AudioStream | None = None
        self.audio_problem = ""
        if audio is not None:
            self._take_audio(audio)

    def _take_audio(self, audio: AudioStream) -> None:
        # PyAV's annotation does not say so: libav may know no decoder at all for a stream.
        context = cast("AudioCodecContext | None", audio.codec_context)
        name = "its codec" if context is None else context.codec.canonical_name
        if context is not None and not context.sample_rate:
            # Nothing of sound is decoded here, and an MP4 begins with what only that would tell.
            self.audio_problem = f"without sound: the stream does not say the rate of its {name}"
            return
        try:
            if context is not None:
                self.audio = self._owner.add_stream_from_template(audio, opaque=True)
        except ValueError:
            self.audio = None
        if self.audio is None:
            self.audio_problem = (
                f"without sound: MP4 cannot hold {name} as the camera sends it; set it to AAC"
            )
