"""A browser page that publishes a picture that is bright while a tone sounds, each second anew."""

from typing import Final

PUBLISH_FLASHES: Final = """
async (path) => {
  const { negotiate } = await import("/app/webrtc.js");
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 320, height: 240 });
  document.body.prepend(canvas);
  const context = canvas.getContext("2d");
  const audio = new AudioContext({ sampleRate: 48000 });
  await audio.resume();
  const tone = new OscillatorNode(audio, { frequency: 440 });
  const gain = new GainNode(audio, { gain: 0 });
  const output = new MediaStreamAudioDestinationNode(audio, { channelCount: 1 });
  tone.connect(gain).connect(output);
  tone.start();
  for (let second = Math.ceil(audio.currentTime); second < 60; second++) {
    gain.gain.setValueAtTime(0.5, second);
    gain.gain.setValueAtTime(0, second + 0.4);
  }
  const draw = () => {
    context.fillStyle = audio.currentTime % 1 < 0.4 ? "#ddd" : "#222";
    context.fillRect(0, 0, 320, 240);
  };
  window.drawing = setInterval(draw, 1000 / 30);
  const connection = new RTCPeerConnection();
  window.published = connection;
  const stream = canvas.captureStream(30);
  const [picture] = stream.getVideoTracks();
  const [sound] = output.stream.getAudioTracks();
  connection.addTransceiver(picture, { direction: "sendonly", streams: [stream] });
  connection.addTransceiver(sound, { direction: "sendonly", streams: [stream] });
  window.session = await negotiate(connection, path);
}
"""
HEARD: Final = """async (base64) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const video = document.createElement("video");
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  document.body.replaceChildren(video);
  const how = new Promise((resolve) => {
    video.onended = () => resolve("ended");
    video.onerror = () => resolve(`error ${video.error.code}: ${video.error.message}`);
    setTimeout(() => resolve("did not end"), 30000);
  });
  await video.play().catch(() => {});
  return {
    how: await how,
    seconds: video.currentTime,
    pictures: video.getVideoPlaybackQuality().totalVideoFrames,
    soundBytes: video.webkitAudioDecodedByteCount,
  };
}"""
"""Plays an MP4 and says how it went: how it ended, what was decoded of pictures and sound."""
