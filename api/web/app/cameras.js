// The cameras: how each is doing, what became of its frames, adding and removing.

import { call, get, post, remove } from "/app/api.js";
import { discovery } from "/app/discover.js";
import { confirmed, el, fill, icon, say } from "/app/dom.js";
import { ago, count, dateAndTime, number, size } from "/app/format.js";
import { LivePlayer } from "/app/live.js";
import { listen } from "/app/stream.js";
import { mountTopbar } from "/app/topbar.js";

const LIST_EVERY_MS = 2000;
const STATES = { seeing: "Seeing", degraded: "Degraded", blind: "Blind" };
const OWN_EVENTS = { motion: "motion", tamper: "tampering", poor_picture: "a poor picture", signal_loss: "no signal" };
const REASONS = {
  expired: "too old when it was their turn",
  shed: "left out: this machine is too busy for all",
  queue_full: "pushed out by newer ones",
  overtaken: "overtaken by newer ones while they were read",
  decode_error: "could not be read back",
  analysis_error: "analysis failed",
  queue_unavailable: "queue was away",
  from_ended_run: "from an ended run",
};

const list = document.getElementById("cameras");
const cards = new Map();

async function refresh() {
  try {
    const { items } = await get("/api/v1/cameras?limit=200");
    const statuses = await Promise.all(
      items.map(async (camera) => {
        const [status, own] = await Promise.all([
          get(`/api/v1/cameras/${camera.id}/status`).catch(() => camera.status),
          camera.source.type === "onvif" ? get(`/api/v1/cameras/${camera.id}/own-events?limit=1`).catch(() => null) : null,
        ]);
        return { ...status, own_event: own?.items[0] };
      }),
    );
    show(items, statuses);
  } catch (error) {
    if (cards.size === 0) fill(list, el("p.notice.bad", {}, icon("high"), `Cameras cannot be shown: ${error.message}. Trying again.`));
  }
  list.setAttribute("aria-busy", "false");
}

function show(cameras, statuses) {
  if (cameras.length === 0) {
    cards.clear();
    fill(
      list,
      el(
        "div.empty",
        {},
        icon("camera"),
        el("h3", {}, "No cameras yet"),
        el("p", {}, "Add the first one with the form. Most cameras show their RTSP address in their own web page, under streaming or ONVIF."),
      ),
    );
    return;
  }
  const wanted = new Set(cameras.map((camera) => camera.id));
  for (const id of cards.keys()) {
    if (wanted.has(id)) continue;
    cards.get(id).player?.stop();
    cards.delete(id);
  }
  cameras.forEach((camera, index) => {
    if (!cards.has(camera.id)) cards.set(camera.id, new CameraCard(camera.id));
    cards.get(camera.id).update(camera, statuses[index]);
  });
  const elements = cameras.map((camera) => cards.get(camera.id).element);
  if (elements.some((element, index) => list.children[index] !== element) || list.children.length !== elements.length) {
    fill(list, ...elements);
  }
}

class CameraCard {
  constructor(id) {
    this.id = id;
    this.name = el("h2");
    this.badge = el("span.pill.badge");
    this.source = el("p.muted.mono.camera-source");
    this.cause = el("p.camera-cause", { hidden: true });
    this.facts = el("dl.camera-facts");
    this.bar = el("div.account-bar", { attrs: { "aria-hidden": "true" } });
    this.table = el("tbody");
    this.sum = el("p.account-sum");
    this.watch = el("button.button.quiet", { type: "button", on: { click: () => this.toggleLive() } }, "Watch live");
    this.publish = el("a.button.quiet", { href: `/cameras/${id}/publish`, hidden: true }, "Publish from here");
    const masks = el("a.button.quiet", { href: `/cameras/${id}/masks` }, "Privacy masks");
    this.live = el("div");
    this.enable = el("button.button.quiet", { type: "button", on: { click: () => this.toggle() } });
    const discard = el("button.button.quiet.danger", { type: "button", on: { click: () => this.confirmRemoval() } }, icon("trash"), "Remove");
    this.element = el(
      "article.panel.camera-card",
      {},
      el("header.camera-head", {}, el("div", {}, this.name, this.source), el("div.camera-actions", {}, this.badge, this.publish, this.watch, masks, this.enable, discard)),
      this.live,
      this.cause,
      this.facts,
      el(
        "div.account",
        {},
        el("h3", {}, "Frame account"),
        this.bar,
        el("table", {}, this.table),
        this.sum,
      ),
    );
  }

  update(camera, status) {
    this.camera = camera;
    this.name.textContent = [camera.name || camera.id, camera.place].filter(Boolean).join(" \u00b7 ");
    this.source.textContent = `${camera.id}  ${camera.source.url}${camera.source.type === "rtsp" ? ` (${camera.source.transport})` : ""}`;
    this.publish.hidden = camera.source.type !== "webrtc";
    this.badge.dataset.state = status.state;
    fill(this.badge, el("span.dot"), STATES[status.state] ?? status.state);
    this.cause.hidden = !status.cause;
    this.cause.textContent = status.cause;
    this.cause.dataset.state = status.state;
    this.enable.textContent = camera.enabled ? "Switch off" : "Switch on";
    const facts = [
      ["Frames per second", number(status.fps)],
      ["Analysed at most", `${number(camera.analyze_fps)} fps`],
      ["Picture", [size(status.width, status.height), status.codec].filter(Boolean).join(", ") || "none yet"],
      ["Newest frame", status.last_frame_at ? ago(status.last_frame_at) : "none yet"],
      ["Coverage of the last hour", status.coverage === null ? "unknown" : `${number(100 * status.coverage)} %`],
      ["Reconnects", count(status.reconnects)],
    ];
    if (status.own_event) facts.push(["The camera itself says", ownEvent(status.own_event)]);
    if (status.recording) facts.push(["Recording", recordingOf(status.recording)]);
    if (camera.masks.length) facts.push(["Privacy masks", camera.masks.join(", ")]);
    fill(this.facts, ...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
    if (status.frames) this.showAccount(status.frames);
  }

  showAccount(frames) {
    const rows = [
      ["analysed", "Analysed", frames.analysed, ""],
      ["gated", "Found still", frames.gated, "nothing moved, no detector needed"],
      ["queued", "Waiting", frames.queued, ""],
      ["dropped", "Dropped", frames.dropped, droppedReasons(frames.dropped_by_reason)],
    ];
    const total = Math.max(1, frames.received);
    fill(
      this.bar,
      ...rows.map(([kind, , value]) => {
        const part = el("span", { data: { kind } });
        part.style.width = `${(value / total) * 100}%`;
        return part;
      }),
    );
    fill(
      this.table,
      ...rows.map(([kind, name, value, note]) =>
        el(
          "tr",
          {},
          el("td", {}, el("span.key", { data: { kind } }), name, note && el("span.muted.row-note", {}, note)),
          el("td.num", {}, count(value)),
          el("td.num.muted", {}, frames.received ? `${((value / total) * 100).toFixed(1)} %` : ""),
        ),
      ),
    );
    this.sum.dataset.ok = frames.balanced;
    fill(
      this.sum,
      icon(frames.balanced ? "check" : "high"),
      frames.balanced
        ? `${count(frames.received)} received, all accounted for`
        : `${count(frames.received)} received, the account does not balance`,
      frames.corrupt > 0 && el("span.muted", {}, `\u00b7 ${count(frames.corrupt)} corrupt before the queue`),
    );
  }

  toggleLive() {
    if (this.player) {
      this.player.stop();
      this.player = null;
    } else {
      this.player = new LivePlayer(this.id, this.camera.name || this.id);
      fill(this.live, this.player.element);
      this.player.start();
    }
    this.watch.textContent = this.player ? "Stop watching" : "Watch live";
  }

  async toggle() {
    await call("PATCH", `/api/v1/cameras/${this.id}`, { enabled: !this.camera.enabled }).catch(() => null);
    refresh();
  }

  async confirmRemoval() {
    const isMeant = await confirmed({
      heading: `Remove ${this.camera.name || this.id}?`,
      text: "Vigil stops watching it at once. Its alerts, events and evidence stay.",
      keep: "Keep it",
      act: "Remove",
    });
    if (!isMeant) return;
    await remove(`/api/v1/cameras/${this.id}`).catch(() => null);
    refresh();
  }
}

/** Since when, or why not, and how much is kept. */
function recordingOf({ recording_since: since, size_bytes: bytes, problem }) {
  const kept = `${number(bytes / 1e9)} GB kept`;
  return problem ? `${problem} (${kept})` : `${since ? `since ${dateAndTime(since)}` : "not yet"}, ${kept}`;
}

/** What a camera told last, in its own words; nobody checks it. */
function ownEvent(event) {
  const what = OWN_EVENTS[event.kind] ?? event.topic;
  return `${what}${event.on === false ? " ended" : ""}, ${ago(event.at)}`;
}

function droppedReasons(byReason) {
  return Object.entries(byReason)
    .filter(([, value]) => value)
    .map(([reason, value]) => `${count(value)} ${REASONS[reason] ?? reason}`)
    .join(", ");
}

/** The form that adds a camera; what is wrong stands beside its field. */
function addForm(container) {
  const fields = {
    name: field("name", "Name", "Loading dock", "How people call it."),
    place: field("place", "Place", "North yard", "Where it is. May stay empty."),
    "source.url": field("source.url", "Address", "rtsp://user:password@192.0.2.7/stream", "RTSP or HTTP address (MJPEG, HLS, MP4) with user and password if it needs them, onvif://user:password@host, usb:/dev/video0, the path of a video file or of a folder of them, synthetic:yard, or webrtc: for a phone, browser or OBS that publishes to Vigil. It is never shown again with its password."),
  };
  const transport = el("select", { id: "transport" }, el("option", { value: "tcp" }, "TCP (reliable)"), el("option", { value: "udp" }, "UDP (TCP if it loses much)"), el("option", { value: "udp_only" }, "UDP only (may lose packets)"));
  const message = el("div.notice", { hidden: true, attrs: { role: "status" } });
  const submit = el("button.button.primary", { type: "submit" }, icon("plus"), "Add camera");
  const form = el(
    "form",
    { noValidate: true },
    ...Object.values(fields).map(({ element }) => element),
    discovery(fields["source.url"].input),
    el("div.field", {}, el("label", { htmlFor: "transport" }, "RTSP transport"), transport),
    message,
    submit,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    message.hidden = true;
    Object.values(fields).forEach((one) => one.setError(""));
    if (!fields["source.url"].input.value.trim()) {
      fields["source.url"].setError("Where is the camera? Give its address.");
      fields["source.url"].input.focus();
      return;
    }
    submit.disabled = true;
    try {
      const camera = await post("/api/v1/cameras", {
        name: fields.name.input.value.trim(),
        place: fields.place.input.value.trim(),
        source: { url: fields["source.url"].input.value.trim(), transport: transport.value },
      });
      const next = fields["source.url"].input.value.trim().startsWith("webrtc:")
        ? "It waits for somebody to publish to it: from its card, or with OBS or FFmpeg."
        : "Its first picture takes a few seconds.";
      form.reset();
      say(message, "good", "check", `${camera.name || camera.id} is added. ${next}`);
      refresh();
    } catch (error) {
      const known = error.errors.filter((one) => fields[one.field]);
      known.forEach((one) => fields[one.field].setError(`This ${one.message}.`));
      if (known.length) fields[known[0].field].input.focus();
      else say(message, "bad", "high", `Not added: ${error.message}.`);
    }
    submit.disabled = false;
  });
  fill(container, el("h2", {}, "Add a camera"), form);
}

function field(name, label, placeholder, hint) {
  const id = `field-${name.replace(".", "-")}`;
  const input = el("input", { id, placeholder, autocomplete: "off", spellcheck: false, aria: { describedby: `${id}-hint` } });
  const error = el("span.error", { id: `${id}-error`, hidden: true });
  const element = el("div.field", {}, el("label", { htmlFor: id }, label), input, error, el("span.hint", { id: `${id}-hint` }, hint));
  const setError = (text) => {
    error.hidden = !text;
    error.textContent = text;
    input.setAttribute("aria-invalid", String(Boolean(text)));
    input.setAttribute("aria-describedby", text ? `${id}-error ${id}-hint` : `${id}-hint`);
  };
  return { element, input, setError };
}

const topbar = mountTopbar("cameras");
listen({ onAlert: () => null, onState: topbar.setConnection, onOpen: () => null });
addForm(document.getElementById("add"));
if (location.hash === "#add") document.getElementById("field-name").focus();
await refresh();
setInterval(refresh, LIST_EVERY_MS);
