// A phone or a laptop as a camera: its picture is published by WHIP until somebody stops it.

import { get } from "/app/api.js";
import { el, fill, icon, say } from "/app/dom.js";
import { listen } from "/app/stream.js";
import { mountTopbar } from "/app/topbar.js";
import { endSession, negotiate } from "/app/webrtc.js";

const RETRY_MS = [1000, 2000, 5000, 10000];
const LOST_MS = 5000;
const BIT_RATE_MAX = 2_500_000;
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } };

/** The panel of one camera. */
class Publisher {
  constructor(cameraId, container) {
    this.cameraId = cameraId;
    this.isWanted = false;
    this.failures = 0;
    this.preview = el("video", { muted: true, autoplay: true, playsInline: true, attrs: { "aria-label": "What this device sees" } });
    this.message = el("div.notice", { hidden: true, attrs: { role: "status" } });
    this.facing = el("select", { id: "facing" }, el("option", { value: "environment" }, "Back"), el("option", { value: "user" }, "Front"));
    this.button = el("button.button.primary", { type: "button", on: { click: () => this.toggle() } });
    this.heading = el("h2");
    fill(
      container,
      this.heading,
      el("div.live-player", {}, this.preview),
      el("div.field", {}, el("label", { htmlFor: "facing" }, "Which camera of this device"), this.facing),
      this.message,
      this.button,
    );
    addEventListener("pagehide", () => endSession(this.session));
    this.showButton();
  }

  async load() {
    const camera = await get(`/api/v1/cameras/${this.cameraId}`);
    this.heading.textContent = camera.name || camera.id;
    if (camera.source.type === "webrtc") return;
    this.say("bad", "high", `${camera.name || camera.id} has a source of its own (${camera.source.type}); only a camera whose address is webrtc: can be published to.`);
    this.button.disabled = true;
  }

  toggle() {
    if (this.isWanted) this.stop();
    else this.start();
  }

  async start() {
    this.isWanted = true;
    this.showButton();
    if (!navigator.mediaDevices) {
      this.stop();
      this.say("bad", "high", "Browsers give the camera to pages from HTTPS addresses (or localhost) only. Reach Vigil through HTTPS.");
      return;
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...PICTURE, facingMode: this.facing.value } });
    } catch (error) {
      this.stop();
      this.say("bad", "high", `This device's camera cannot be used (${error.name}). Allow it in the browser's settings.`);
      return;
    }
    this.preview.srcObject = this.stream;
    this.lock = await navigator.wakeLock?.request("screen").catch(() => null);
    while (this.isWanted) {
      const why = await this.publish().catch((error) => error.message);
      this.hangUp();
      if (!this.isWanted) return;
      const waitMs = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
      this.say("bad", "high", `Not published: ${why}. Trying again in ${waitMs / 1000} s.`);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  stop() {
    this.isWanted = false;
    this.hangUp();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = this.preview.srcObject = null;
    this.lock?.release();
    this.message.hidden = true;
    this.showButton();
  }

  /** Publish until it breaks off; returns or throws why. */
  async publish() {
    const connection = new RTCPeerConnection();
    this.connection = connection;
    const [track] = this.stream.getVideoTracks();
    track.contentHint = "detail"; // a small blurred picture is worth less than a few sharp ones
    connection.addTransceiver(track, { direction: "sendonly", streams: [this.stream], sendEncodings: [{ maxBitrate: BIT_RATE_MAX }] });
    this.session = await negotiate(connection, `/api/v1/cameras/${this.cameraId}/whip`);
    let lostAt = performance.now();
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      if (!this.isWanted) return "";
      if (track.readyState === "ended") return "the device's camera stopped";
      if (connection.connectionState === "connected") {
        if (lostAt) this.say("good", "check", "Published. Keep this page open.");
        lostAt = this.failures = 0;
      } else lostAt ||= performance.now();
      if (["failed", "closed"].includes(connection.connectionState) || (lostAt && performance.now() - lostAt > LOST_MS)) return "the connection is lost";
    }
  }

  hangUp() {
    endSession(this.session);
    this.session = null;
    this.connection?.close();
    this.connection = null;
  }

  say(kind, symbol, text) {
    say(this.message, kind, symbol, text);
  }

  showButton() {
    fill(this.button, icon("camera"), this.isWanted ? "Stop" : "Start");
    this.facing.disabled = this.isWanted;
  }
}

const topbar = mountTopbar("cameras");
listen({ onAlert: () => null, onState: topbar.setConnection, onOpen: () => null });
const publisher = new Publisher(location.pathname.split("/")[2], document.getElementById("publish"));
await publisher.load().catch((error) => publisher.say("bad", "high", `This camera cannot be shown: ${error.message}.`));
