// The evidence frames of an event: one large with its boxes and zones, all as a strip.

import { el, fill, icon } from "/app/dom.js";
import { drawBoxes, drawScene, fitCanvas, placeIn } from "/app/drawing.js";
import { timeOfDay } from "/app/format.js";

/** Shows the frame that a claim rests on, with what the claim is about highlighted. */
export class FrameView {
  constructor() {
    this.event = null;
    this.frame = null;
    this.claim = null;
    this.pictures = new Map();
    this.canvas = el("canvas", { attrs: { role: "img" } });
    this.caption = el("figcaption.frame-caption", { aria: { live: "polite" } });
    this.missing = el("div.veil", { hidden: true, data: { kind: "blind" } });
    this.strip = el("div.frame-strip", { aria: { label: "Frames kept as evidence" }, attrs: { role: "group" } });
    this.element = el(
      "figure.frame-view.panel",
      {},
      el("div.frame-picture", {}, this.canvas, this.missing),
      this.caption,
      this.strip,
    );
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  setEvent(event) {
    this.event = event;
    const ids = event.frames.map((frame) => frame.frame_id).join();
    if (ids !== this.stripIds) {
      this.stripIds = ids;
      this.renderStrip();
    }
    const shown = this.frame?.frame_id;
    const frame = event.frames.find(({ frame_id }) => frame_id === shown) ?? this.decisive();
    this.show(frame);
  }

  /**
   * Show a frame that a claim rests on: the one asked for, else the decisive one, else its last.
   * A claim without frames keeps what is shown.
   */
  showClaim(claim, frameId) {
    this.claim = claim;
    const cited = this.event.frames.filter(({ frame_id }) => claim.frames.includes(frame_id));
    const frame =
      cited.find(({ frame_id }) => frame_id === frameId) ??
      cited.find(({ is_decisive }) => is_decisive) ??
      cited.at(-1);
    this.show(frame ?? this.frame, claim.frames.length > 0 && !frame);
  }

  decisive() {
    return this.event.frames.find((frame) => frame.is_decisive) ?? this.event.frames.at(-1) ?? null;
  }

  async show(frame, isFrameLost = false) {
    this.frame = frame;
    this.isFrameLost = isFrameLost;
    this.markStrip();
    if (!frame) {
      this.showMissing("No frame of this event is kept");
      return;
    }
    let picture = this.pictures.get(frame.frame_id);
    if (!picture) {
      picture = new Image();
      picture.src = frame.url;
      this.pictures.set(frame.frame_id, picture);
    }
    const isLoaded = await picture.decode().then(
      () => true,
      () => false,
    );
    if (this.frame !== frame) return;
    if (!isLoaded) {
      this.pictures.delete(frame.frame_id);
      this.showMissing("This frame cannot be shown");
      return;
    }
    this.missing.hidden = true;
    this.canvas.parentElement.style.aspectRatio = `${picture.naturalWidth} / ${picture.naturalHeight}`;
    this.draw();
    this.renderCaption();
  }

  showMissing(text) {
    const { context, width, height } = fitCanvas(this.canvas);
    context.clearRect(0, 0, width, height);
    this.missing.hidden = false;
    fill(this.missing, icon("frame"), el("strong", {}, text));
    fill(this.caption);
  }

  /** Ids of tracks, zones and lines that the claim names in its arguments. */
  subjects() {
    return new Set(Object.values(this.claim?.args ?? {}).map(String));
  }

  draw() {
    const picture = this.frame && this.pictures.get(this.frame.frame_id);
    const { context, width, height } = fitCanvas(this.canvas);
    if (!picture?.naturalWidth || !width) return;
    const place = placeIn(picture.naturalWidth, picture.naturalHeight, width, height);
    context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, place.x, place.y, place.w, place.h);
    const subjects = this.subjects();
    const places = [...this.event.zones, ...this.event.lines].map(({ id }) => id);
    drawScene(context, place, this.event, new Set(places.filter((id) => subjects.has(id))));
    const names = new Map(this.event.objects.map((object) => [object.track_id, object.label]));
    const boxes = Object.entries(this.frame.boxes).map(([track, box]) => ({
      box,
      text: `${names.get(track) ?? "object"} ${track}`,
      tone: subjects.has(track) ? "highlight" : this.claim ? "dim" : "track",
    }));
    drawBoxes(context, place, boxes.sort((a, b) => Number(a.tone === "highlight") - Number(b.tone === "highlight")));
  }

  renderCaption() {
    const about = this.claim ? ` \u00b7 ${this.claim.id}` : "";
    const lost = this.isFrameLost ? "The claim's own frame is not kept; this is the nearest shown. " : "";
    const rests = this.claim && this.claim.frames.length === 0 ? "This claim rests on other claims. " : "";
    const label = `${this.frame.frame_id.replace("f_", "Frame ")}${about}`;
    this.canvas.setAttribute("aria-label", `${label}, ${this.claim?.text ?? "evidence frame"}`);
    this.element.dataset.frame = this.frame.frame_id;
    fill(
      this.caption,
      el("span", {}, lost, rests, label),
      el("span.muted", {}, timeOfDay(this.frame.captured_at), this.frame.is_decisive ? " \u00b7 decisive" : ""),
    );
  }

  renderStrip() {
    fill(
      this.strip,
      ...this.event.frames.map((frame) =>
        el(
          "button.strip-frame",
          {
            type: "button",
            title: frame.is_decisive ? "The decisive frame" : "",
            aria: { label: `${frame.frame_id.replace("f_", "Frame ")}, ${timeOfDay(frame.captured_at)}` },
            data: { frame: frame.frame_id, decisive: frame.is_decisive },
            on: { click: () => this.show(frame) },
          },
          el("img", { src: frame.url, alt: "", loading: "lazy" }),
          el("span", {}, offsetOf(frame, this.decisive())),
        ),
      ),
    );
    this.strip.hidden = this.event.frames.length < 2;
  }

  markStrip() {
    for (const button of this.strip.children) {
      button.setAttribute("aria-pressed", String(button.dataset.frame === this.frame?.frame_id));
      button.classList.toggle("is-cited", this.claim?.frames.includes(button.dataset.frame) ?? false);
    }
  }
}

/** "-1.6 s" before the decisive frame, "decisive" at it. */
function offsetOf(frame, decisive) {
  if (!decisive || frame.frame_id === decisive.frame_id) return "decisive";
  const seconds = (Date.parse(frame.captured_at) - Date.parse(decisive.captured_at)) / 1000;
  return `${seconds > 0 ? "+" : "\u2212"}${Math.abs(seconds).toFixed(1)} s`;
}
