"""A browser page that publishes a picture of the time, and one that reads it back when it is seen.

The time stands in the picture as 32 black or white squares (milliseconds modulo 2^32), so that the
way from glass to glass is read from the pixels themselves.
"""

from typing import Final

PUBLISH: Final = """
async ([path, size]) => {
  const { negotiate } = await import("/app/webrtc.js");
  const [width, height] = size;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  document.body.prepend(canvas);
  const context = canvas.getContext("2d");
  const side = width / 8;
  let count = 0;
  const draw = () => {
    const now = Math.round(performance.timeOrigin + performance.now()) % 4294967296;
    context.fillStyle = "#666";
    context.fillRect(0, 0, width, height);
    for (let bit = 0; bit < 32; bit++) {
      context.fillStyle = Math.floor(now / 2 ** bit) % 2 ? "#fff" : "#000";
      context.fillRect((bit % 8) * side, Math.floor(bit / 8) * (height / 4), side, height / 4);
    }
    count += 1;
  };
  draw();
  window.drawing = setInterval(draw, 1000 / 30);
  const connection = new RTCPeerConnection();
  window.published = connection;
  const stream = canvas.captureStream(30);
  const [track] = stream.getVideoTracks();
  track.contentHint = "detail";
  connection.addTransceiver(track, { direction: "sendonly", streams: [stream] });
  window.session = await negotiate(connection, path);
}
"""

WATCH: Final = """
async ([path, samples, timeoutMs]) => {
  const { negotiate } = await import("/app/webrtc.js");
  const asked = performance.now();
  const connection = new RTCPeerConnection();
  window.watched = connection;
  const { receiver } = connection.addTransceiver("video", { direction: "recvonly" });
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
  const video = document.createElement("video");
  Object.assign(video, { muted: true, autoplay: true, playsInline: true });
  video.srcObject = new MediaStream([receiver.track]);
  // Out of sight its pictures are black.
  document.querySelectorAll("body > video").forEach((other) => other.remove());
  document.body.prepend(video);
  const found = { firstMs: null, latenciesMs: [], unreadable: 0, sizes: [] };
  const done = new Promise((resolve) => {
    const canvas = document.createElement("canvas");
    const look = () => {
      const { videoWidth: width, videoHeight: height } = video;
      found.firstMs ??= performance.now() - asked;
      Object.assign(canvas, { width, height });
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(video, 0, 0);
      const now = Math.round(performance.timeOrigin + performance.now()) % 4294967296;
      const pixels = context.getImageData(0, 0, width, height).data;
      let code = 0;
      let isClear = true;
      for (let bit = 0; bit < 32; bit++) {
        const x = Math.floor(((bit % 8) + 0.5) * (width / 8));
        const y = Math.floor((Math.floor(bit / 8) + 0.5) * (height / 4));
        const level = pixels[4 * (y * width + x) + 1];
        if (level > 96 && level < 160) isClear = false;
        if (level > 128) code += 2 ** bit;
      }
      const latency = now - code;
      if (isClear && latency > -50 && latency < 60000) found.latenciesMs.push(latency);
      else found.unreadable += 1;
      const shown = `${width}x${height}`;
      if (found.sizes.at(-1) !== shown) found.sizes.push(shown);
      if (found.latenciesMs.length >= samples) resolve();
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  });
  window.watchSession = await negotiate(connection, path);
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, timeoutMs))]);
  return found;
}
"""
