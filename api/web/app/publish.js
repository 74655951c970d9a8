// A phone or a laptop as a camera: its picture is published by WHIP until somebody stops it.

import { get } from "/app/api.js";
import { el, fill, icon, say } from "/app/dom.js";
import { listen } from "/app/stream.js";
import { mountTopbar } from "/app/topbar.js";
import { endSession, negotiate } from "/app/webrtc.js";

const RETRY_MS = [1000, 2000, 5000, 10000];
const LOST_MS = 5000;
const BIT_RATE_MAX = 2_500_000;
// What calls make of sound, and evidence must not: a scream or breaking glass is noise to them.
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
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
    this.lock = await navigator.wakeLock?.request("screen").catch(() => null);
    while (this.isWanted) {
      try {
        await this.capture();
      } catch (error) {
        this.stop();
        this.say("bad", "high", `This device's camera cannot be used (${error.name}). Allow it in the browser's settings.`);
        return;
      }
      const why = await this.publish().catch((error) => error.message);
      this.hangUp();
      if (!this.isWanted) return;
      const waitMs = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
      this.say("bad", "high", `Not published: ${why}. Trying again in ${waitMs / 1000} s.`);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /** Open this device's camera, and its microphone where the sound is kept; that may have been switched meanwhile. */
  async capture() {
    const camera = await get(`/api/v1/cameras/${this.cameraId}`).catch(() => null);
    const wantsSound = camera?.audio ?? this.wantsSound ?? false;
    if (this.stream && wantsSound === this.wantsSound) return;
    this.release();
    this.wantsSound = wantsSound;
    const video = { ...PICTURE, facingMode: this.facing.value };
    const open = (audio) => navigator.mediaDevices.getUserMedia({ audio, video });
    this.stream = wantsSound ? await open(SOUND).catch(() => open(false)) : await open(false); // a picture alone is worth having
    if (!this.isWanted) this.release();
    this.preview.srcObject = this.stream;
  }

  release() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = this.preview.srcObject = null;
  }

  stop() {
    this.isWanted = false;
    this.hangUp();
    this.release();
    this.lock?.release();
    this.message.hidden = true;
    this.showButton();
  }

  /** Publish until it breaks off; returns or throws why. */
  async publish() {
    if (!this.stream) return "";
    const connection = this.connection = new RTCPeerConnection();
    const [track] = this.stream.getVideoTracks();
    track.contentHint = "detail"; // a small blurred picture is worth less than a few sharp ones
    connection.addTransceiver(track, { direction: "sendonly", streams: [this.stream], sendEncodings: [{ maxBitrate: BIT_RATE_MAX }] });
    const [sound] = this.stream.getAudioTracks();
    if (sound) connection.addTransceiver(sound, { direction: "sendonly", streams: [this.stream] });
    this.session = await negotiate(connection, `/api/v1/cameras/${this.cameraId}/whip`);
    let lostAt = performance.now();
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      if (!this.isWanted) return "";
      if (track.readyState === "ended") return "the device's camera stopped";
      if (connection.connectionState === "connected") {
        if (lostAt) this.say("good", "check", `Published${sound ? ", with sound" : ""}. Keep this page open.${this.wantsSound && !sound ? " Without sound: this device's microphone cannot be used." : ""}`);
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
