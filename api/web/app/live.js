// The live player: video by WebRTC where it can be had, else the newest analysed picture, often.

import { el, fill } from "/app/dom.js";
import { endSession, negotiate } from "/app/webrtc.js";

const FIRST_PICTURE_MS = 6000;
const LOST_MS = 4000;
const RETRY_MS = 15000;
const PICTURE_EVERY_MS = 200;

/** Plays one camera from `start` to `stop`; `element` goes into the page. */
export class LivePlayer {
  constructor(cameraId, name) {
    this.cameraId = cameraId;
    this.video = el("video", { muted: true, autoplay: true, playsInline: true, attrs: { "aria-label": `Live video of ${name}` } });
    this.image = el("img", { alt: `Newest picture of ${name}`, hidden: true });
    this.state = el("span.live-state", { attrs: { role: "status" } });
    this.element = el("div.live-player", { data: { how: "connecting" } }, this.video, this.image, this.state);
    this.isRunning = false;
  }

  start() {
    this.isRunning = true;
    this.run();
  }

  stop() {
    this.isRunning = false;
    this.hangUp();
    if (this.shown) URL.revokeObjectURL(this.shown);
    this.element.remove();
  }

  async run() {
    while (this.isRunning) {
      this.show("connecting", "Connecting");
      const why = await this.watch().catch((error) => error.message);
      this.hangUp();
      if (this.isRunning) await this.showPictures(why);
    }
  }

  /** Play by WebRTC until it breaks off; returns or throws why. */
  async watch() {
    const connection = new RTCPeerConnection();
    this.connection = connection;
    const { receiver } = connection.addTransceiver("video", { direction: "recvonly" });
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
    this.video.srcObject = new MediaStream([receiver.track]);
    const session = await negotiate(connection, `/api/v1/cameras/${this.cameraId}/whep`);
    this.session = session;
    if (!this.isRunning) return "";
    const firstPicture = new Promise((resolve) => this.video.addEventListener("loadeddata", () => resolve(true), { once: true }));
    if (!(await Promise.race([firstPicture, after(FIRST_PICTURE_MS, false)]))) return "no video arrived";
    this.show("video", "Live");
    this.video.play().catch(() => null);
    return broken(connection, () => this.isRunning);
  }

  hangUp() {
    endSession(this.session);
    this.session = null;
    this.connection?.close();
    this.connection = null;
  }

  /** Show still pictures for a while, then let video be tried again. */
  async showPictures(why) {
    const until = performance.now() + RETRY_MS;
    let etag = "";
    while (this.isRunning && performance.now() < until) {
      const began = performance.now();
      const answer = await fetch(`/api/v1/cameras/${this.cameraId}/latest.jpg`, { cache: "no-store", headers: etag ? { "If-None-Match": etag } : {} }).catch(() => null);
      if (answer?.status === 200) {
        etag = answer.headers.get("ETag") ?? "";
        const url = URL.createObjectURL(await answer.blob());
        this.image.src = url;
        if (this.shown) URL.revokeObjectURL(this.shown);
        this.shown = url;
        this.show("pictures", `Still pictures${why ? `: ${why}` : ""}`);
      } else if (answer?.status !== 304) {
        this.show("none", why || "No picture");
      }
      await after(Math.max(20, PICTURE_EVERY_MS - (performance.now() - began)));
    }
  }

  show(how, text) {
    this.element.dataset.how = how;
    // While video is tried again, the last picture stays.
    this.image.hidden = how === "video" || how === "none" || !this.shown;
    this.video.hidden = how === "none" || !this.image.hidden;
    fill(this.state, el("span.dot"), el("span", {}, text));
  }
}

function after(ms, value) {
  return new Promise((resolve) => setTimeout(resolve, ms, value));
}

/** Resolve when the connection has been away for a while, or nobody wants it. */
async function broken(connection, isWanted) {
  let lostAt = 0;
  while (isWanted()) {
    await after(500);
    const isWell = connection.connectionState === "connected";
    if (isWell) lostAt = 0;
    else lostAt ||= performance.now();
    if (["failed", "closed"].includes(connection.connectionState) || (lostAt && performance.now() - lostAt > LOST_MS)) return "the video broke off";
  }
  return "";
}
