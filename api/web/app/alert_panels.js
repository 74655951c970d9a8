// The smaller panels of an alert's page: margin, timing, objects, clip.

import { el, fill, icon } from "/app/dom.js";
import { dateAndTime, measured, percent, timeOfDay, withTolerance, words } from "/app/format.js";

const PARAMS = { dwell_s: "Time in the zone", depth: "Depth inside the zone", step: "Step over the line" };

/** How far past its threshold the rule was. */
export function marginPanel(margin, kind) {
  const widest = Math.max(margin.measured, margin.threshold) * 1.2 || 1;
  const share = (value) => `${Math.min(100, Math.max(0, (value / widest) * 100))}%`;
  const past = margin.slack >= 0;
  const bar = el("div.margin-bar", { data: { past }, attrs: { "aria-hidden": "true" } }, el("span.margin-value"), el("span.margin-threshold"));
  bar.children[0].style.width = share(margin.measured);
  bar.children[1].style.left = share(margin.threshold);
  const slack = measured(Math.abs(margin.slack), margin.unit);
  const isReached = slack === measured(0, margin.unit);
  return [
    el("header.panel-head", {}, el("h2", {}, PARAMS[margin.param] ?? words(kind)), el("span.margin-slack", { data: { past } }, isReached ? "threshold reached" : past ? `${slack} past the threshold` : `${slack} short of it`)),
    bar,
    el(
      "p.margin-legend.muted",
      {},
      el("span", {}, "Measured ", el("strong", {}, withTolerance(margin.measured, margin.sigma, margin.unit))),
      el("span", {}, "Asked for ", el("strong", {}, measured(margin.threshold, margin.unit))),
    ),
  ];
}

/** From the picture to the alert, step by step. */
export function timingPanel(alert, event) {
  const { timing } = alert;
  const ms = (value) => (value == null ? null : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);
  const rows = [
    ["Began", timeOfDay(event.start)],
    ["Decisive frame", timeOfDay(timing.capture)],
    ["Picture to detection", ms(timing.detect_ms)],
    ["Detection to alert", ms(timing.publish_ms)],
    ["Reasoning", ms(timing.reason_ms) ?? (timing.late ? "missed its deadline" : "at work")],
    ["Over", event.end ? timeOfDay(event.end) : "still going on"],
    ["Detector", event.detector.name],
    ["Reasoner", alert.reasoning?.reasoner ?? ""],
    ["Revision", String(alert.revision)],
  ];
  return [
    el("header.panel-head", {}, el("h2", {}, "Timing")),
    el("dl.rows", {}, ...rows.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
  ];
}

/** Who and what was there. */
export function objectsPanel(objects, event) {
  const seen = new Map(event.objects.map((object) => [object.track_id, object]));
  const fired = (object) => object.fired_rule && el("span.chip.fired", {}, "fired the rule");
  const row = (object) =>
    el(
      "tr",
      {},
      el("td.mono", {}, object.track_id, fired(object)),
      el("td", {}, words(object.label)),
      el("td.num", {}, percent(object.score)),
      el("td.num", {}, timeOfDay(object.first_seen)),
      el("td.num", {}, measured(object.dwell_s ?? seen.get(object.track_id)?.seen_s, "s")),
    );
  return [
    el("header.panel-head", {}, el("h2", {}, "Objects")),
    el(
      "div.table-scroll",
      {},
      el(
        "table",
        {},
        el(
          "thead",
          {},
          el("tr", {}, ...["Track", "Label"].map((name) => el("th", {}, name)), ...["Confidence", "First seen", "Stayed"].map((name) => el("th.num", {}, name))),
        ),
        el("tbody", {}, ...[...objects].sort((a, b) => b.fired_rule - a.fired_rule).map(row)),
      ),
    ),
  ];
}

/** What people wrote, and the field for more; `getNote` of the result returns what stands there. */
export function notesPanel() {
  const list = el("ol.notes");
  const field = el("textarea", { id: "note", rows: 2, maxLength: 2000, placeholder: "Kept with the alert when you acknowledge or resolve it" });
  const element = el("section.panel", {}, el("header.panel-head", {}, el("h2", {}, "Notes")), list, el("label.visually-hidden", { htmlFor: "note" }, "Note"), field);
  return {
    element,
    getNote: () => field.value.trim(),
    clear: () => {
      field.value = "";
    },
    show: (notes, isResolved) => {
      fill(list, ...notes.map((note) => el("li", {}, el("p", {}, note.text), el("p.muted", {}, `${note.by}, ${words(note.state).toLowerCase()}, ${dateAndTime(note.at)}`))));
      field.hidden = isResolved;
      element.hidden = isResolved && notes.length === 0;
    },
  };
}

/** The clip, or why there is none (yet). */
export function clipPanel(clip, poster, still) {
  const head = el("header.panel-head", {}, el("h2", {}, "Clip"));
  if (clip.state === "ready") {
    const video = el("video", { src: clip.url, poster, controls: true, preload: "metadata", playsInline: true, muted: true });
    const failed = el("p.notice.bad", { hidden: true }, icon("film"), "This browser cannot play the clip. ", el("a", { href: clip.url, download: "clip.mp4" }, "Download it"));
    video.addEventListener("error", () => {
      failed.hidden = false;
      video.hidden = true;
    });
    const full = still && el("p.clip-note.muted", {}, el("a", { href: still, target: "_blank" }, clip.stream === "sub" ? "Picture at full size" : "Picture at the camera's full size"));
    const smaller = clip.stream === "sub" && el("p.clip-note.muted", {}, icon("film"), "From the camera's sub-stream: its main stream was away.");
    return [head, video, failed, smaller, full].filter(Boolean);
  }
  const text = clip.state === "pending" ? "The clip is being made; it appears here by itself." : `There is no clip: ${clip.problem}.`;
  return [head, el("p.clip-note.muted", {}, icon(clip.state === "pending" ? "clock" : "film"), text)];
}
