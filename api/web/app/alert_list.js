// The alerts column: newest first, arriving live, filtered, with a sound if asked for.

import { get } from "/app/api.js";
import { confidenceText, phaseChip, severityMark, stateChip, whereOf, whyOf } from "/app/alert_words.js";
import { el, fill, icon } from "/app/dom.js";
import { ago, dateAndTime, words } from "/app/format.js";

const PAGE = 30;
const RANK = { info: 0, low: 1, medium: 2, high: 3, critical: 4 };
const SOUND_KEY = "vigil.sound";

/** The column; `receive` takes what the live stream brings, `load` what is there already. */
export class AlertList {
  constructor(container) {
    this.container = container;
    this.alerts = new Map();
    this.cards = new Map();
    this.minSeverity = "info";
    this.state = "";
    this.nextCursor = null;
    this.isLoaded = false;
    this.list = el("ol.alert-list", { aria: { label: "Alerts, newest first" } });
    this.notice = el("div.alert-notice");
    this.older = el("button.button.quiet.older", { type: "button", hidden: true, on: { click: () => this.loadOlder() } }, "Show older alerts");
    this.spoken = el("div.visually-hidden", { aria: { live: "polite" } });
    container.append(this.header(), this.notice, this.list, this.older, this.spoken);
    setInterval(() => this.refreshTimes(), 5000);
  }

  header() {
    const severity = el(
      "select",
      { aria: { label: "Least severity" }, on: { change: () => this.filter({ minSeverity: severity.value }) } },
      ...[
        ["info", "All severities"],
        ["low", "Low and up"],
        ["medium", "Medium and up"],
        ["high", "High and up"],
        ["critical", "Critical only"],
      ].map(([value, text]) => el("option", { value }, text)),
    );
    const state = el(
      "select",
      { aria: { label: "State" }, on: { change: () => this.filter({ state: state.value }) } },
      ...[
        ["", "Any state"],
        ["open", "Open"],
        ["acknowledged", "Acknowledged"],
        ["resolved", "Resolved"],
      ].map(([value, text]) => el("option", { value }, text)),
    );
    this.count = el("span.muted");
    return el(
      "header.column-head",
      {},
      el("h2", {}, "Alerts ", this.count),
      el("div.filters", {}, severity, state, soundButton()),
    );
  }

  /** Load the first page, under the filters; keeps what is shown if it cannot. */
  async load() {
    try {
      const page = await get(this.path(null));
      this.nextCursor = page.next_cursor;
      this.alerts = new Map(page.items.map((alert) => [alert.alert_id, alert]));
      this.isLoaded = true;
      this.render();
    } catch (error) {
      fill(this.notice, el("div.notice.bad", {}, icon("high"), `Alerts cannot be shown: ${error.message}.`));
    }
  }

  async loadOlder() {
    const page = await get(this.path(this.nextCursor)).catch(() => null);
    if (!page) return;
    this.nextCursor = page.next_cursor;
    for (const alert of page.items) this.keepNewer(alert);
    this.render();
  }

  path(cursor) {
    const query = new URLSearchParams({ limit: PAGE, min_severity: this.minSeverity });
    if (this.state) query.set("state", this.state);
    if (cursor) query.set("cursor", cursor);
    return `/api/v1/alerts?${query}`;
  }

  filter(change) {
    Object.assign(this, change);
    this.load();
  }

  /** Take a revision from the live stream. */
  receive(alert, kind) {
    if (!this.isLoaded) return;
    const isKnown = this.alerts.has(alert.alert_id);
    const fits = RANK[alert.severity] >= RANK[this.minSeverity] && (!this.state || alert.state === this.state);
    if (!fits) {
      if (this.alerts.delete(alert.alert_id)) this.render();
      return;
    }
    this.keepNewer(alert);
    this.render();
    if (!isKnown && kind === "vigil.alert.opened.v1") this.announce(alert);
  }

  keepNewer(alert) {
    const known = this.alerts.get(alert.alert_id);
    if (!known || known.revision <= alert.revision) this.alerts.set(alert.alert_id, alert);
  }

  announce(alert) {
    this.spoken.textContent = `New alert, ${alert.severity}: ${alert.title}, ${alert.camera_name ?? alert.camera_id}`;
    this.cards.get(alert.alert_id)?.classList.add("is-new");
    if (localStorage.getItem(SOUND_KEY) === "on" && RANK[alert.severity] >= RANK.medium) chime();
  }

  render() {
    const openedAt = (alert) => alert.opened_at ?? alert.start;
    const sorted = [...this.alerts.values()].sort((a, b) =>
      openedAt(a) === openedAt(b)
        ? b.alert_id.localeCompare(a.alert_id)
        : openedAt(b).localeCompare(openedAt(a)),
    );
    const wanted = new Set(this.alerts.keys());
    for (const [id, card] of this.cards) {
      if (wanted.has(id)) continue;
      card.remove();
      this.cards.delete(id);
    }
    sorted.forEach((alert, index) => {
      const card = this.cardOf(alert);
      if (this.list.children[index] !== card) this.list.insertBefore(card, this.list.children[index] ?? null);
    });
    const open = sorted.filter((alert) => alert.state === "open").length;
    this.count.textContent = open ? `${open} open` : "";
    this.older.hidden = !this.nextCursor;
    fill(this.notice, sorted.length === 0 && this.emptyState());
  }

  cardOf(alert) {
    let card = this.cards.get(alert.alert_id);
    if (!card) {
      card = el("li.alert-card");
      this.cards.set(alert.alert_id, card);
    }
    if (card.dataset.revision !== String(alert.revision)) {
      card.dataset.revision = alert.revision;
      card.dataset.severity = alert.severity;
      card.dataset.state = alert.state;
      fill(card, cardContent(alert));
    }
    return card;
  }

  refreshTimes() {
    for (const time of this.list.querySelectorAll("time")) time.textContent = ago(time.dateTime);
  }

  emptyState() {
    const isFiltered = this.minSeverity !== "info" || this.state;
    return el(
      "div.empty",
      {},
      icon("shield"),
      el("h3", {}, isFiltered ? "Nothing matches" : "No alerts yet"),
      el(
        "p",
        {},
        isFiltered
          ? "No alert has this severity and state. Widen the filters to see more."
          : "Nothing has broken a rule. New alerts appear here by themselves, the newest on top.",
      ),
    );
  }
}

function cardContent(alert) {
  const at = alert.opened_at ?? alert.start;
  const confidence = confidenceText(alert);
  return el(
    "a.alert-link",
    { href: `/alerts/${alert.alert_id}` },
    thumbnail(alert),
    el(
      "div.alert-body",
      {},
      el(
        "div.alert-top",
        {},
        severityMark(alert.severity),
        el("time.muted", { dateTime: at, title: dateAndTime(at) }, ago(at)),
      ),
      el("p.alert-title", {}, alert.title || words(alert.kind)),
      el("p.alert-where", { title: whereOf(alert) }, icon("pin"), whereOf(alert)),
      el("p.alert-why.muted", {}, whyOf(alert)),
      el("div.chips", {}, phaseChip(alert), stateChip(alert), confidence && el("span.muted", {}, confidence)),
    ),
  );
}

function thumbnail(alert) {
  const frame = el("div.thumb", {}, icon("frame"));
  const source = alert.evidence?.snapshot;
  if (source) {
    const image = el("img", { src: source, alt: "", loading: "lazy", decoding: "async" });
    zoomTo(image, alert.objects ?? []);
    image.addEventListener("load", () => frame.classList.add("is-loaded"));
    image.addEventListener("error", () => image.remove());
    frame.append(image);
  }
  return frame;
}

/** Show the neighbourhood of the objects, so that they can be made out in a small picture. */
function zoomTo(image, objects) {
  if (objects.length === 0) return;
  const edge = (index, choose) => choose(...objects.map((object) => object.box[index]));
  const [x1, y1, x2, y2] = [edge(0, Math.min), edge(1, Math.min), edge(2, Math.max), edge(3, Math.max)];
  const zoom = Math.min(3, Math.max(1, 0.5 / Math.max(x2 - x1, y2 - y1)));
  // The origin of the scaling that brings the middle of the box to the middle of the picture.
  const origin = (middle) => (zoom === 1 ? 50 : ((middle * zoom - 0.5) / (zoom - 1)) * 100);
  const inside = (share) => Math.min(100, Math.max(0, share));
  image.style.setProperty("--zoom", zoom.toFixed(3));
  image.style.transformOrigin = `${inside(origin((x1 + x2) / 2))}% ${inside(origin((y1 + y2) / 2))}%`;
}

function soundButton() {
  const button = el("button.icon-button", { type: "button" });
  const show = () => {
    const isOn = localStorage.getItem(SOUND_KEY) === "on";
    button.setAttribute("aria-pressed", String(isOn));
    button.setAttribute("aria-label", "Sound for new alerts of medium severity and up");
    button.title = isOn ? "Sound is on" : "Sound is off";
    fill(button, icon(isOn ? "sound" : "mute"));
  };
  button.addEventListener("click", () => {
    const isOn = localStorage.getItem(SOUND_KEY) === "on";
    localStorage.setItem(SOUND_KEY, isOn ? "off" : "on");
    show();
    if (!isOn) chime();
  });
  show();
  return button;
}

/** Two soft notes, made here: no file is needed. */
function chime() {
  const audio = new AudioContext();
  [660, 880].forEach((pitch, index) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const start = audio.currentTime + index * 0.16;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.12, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.4);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.45);
  });
  setTimeout(() => audio.close(), 1200);
}
