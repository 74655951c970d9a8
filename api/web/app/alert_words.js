// The words and signs for an alert's severity, phase, state and confidence, the same on all pages.

import { el, icon } from "/app/dom.js";
import { measured, percent, words } from "/app/format.js";

/** Severity in colour, sign and word: colour alone is not enough. */
export function severityMark(severity) {
  return el("span.severity", { data: { severity } }, icon(severity), words(severity));
}

/** How far the system is: provisional alerts are being reasoned about. */
export function phaseChip(alert) {
  if (alert.is_unreasoned) return chip("unreasoned", "Not reasoned", "The reasoning missed its deadline; the rule's word stands alone.");
  const [state, text, title] = {
    provisional: ["provisional", "Reasoning ...", "A rule fired; the reasoning is at work."],
    revised: ["reasoned", "Reasoned", "The reasoning has spoken; more may follow while it goes on."],
    final: ["reasoned", "Reasoned", "The event is over, and this is the reasoning's last word on it."],
  }[alert.phase] ?? [alert.phase, words(alert.phase), ""];
  return chip(state, text, title);
}

/** What people have done about it; nothing for an open alert. */
export function stateChip(alert) {
  if (!alert.state || alert.state === "open") return null;
  return chip(alert.state, words(alert.state), alert.acknowledged_by ? `by ${alert.acknowledged_by}` : "");
}

/** Confidence, once there is one that was reasoned. */
export function confidenceText(alert) {
  if (alert.phase === "provisional" || alert.confidence == null) return "";
  return `${percent(alert.confidence)} sure`;
}

/** Where it is, the nearest first: zone or line, camera, place. */
export function whereOf(alert) {
  const spots = [...(alert.zone_names ?? alert.zones ?? []), ...(alert.line_names ?? alert.lines ?? [])];
  return [spots.join(", "), alert.camera_name || alert.camera_id, alert.place].filter(Boolean).join(" \u00b7 ");
}

/** Why there is an alert: what the rule measured and what it asks for. */
export function whyOf(alert) {
  const { margin } = alert;
  if (!margin) return "";
  const found = measured(margin.measured, margin.unit);
  const asked = measured(margin.threshold, margin.unit);
  const sentence = {
    dwell_s: `There for ${found}, the rule asks for ${asked}`,
    depth: `${found} inside the edge, the rule asks for ${asked}`,
    step: `${found} past the line`,
  }[margin.param];
  return sentence ?? `Measured ${found}, the rule asks for ${asked}`;
}

function chip(state, text, title) {
  return el("span.chip", { title, data: { state } }, el("span.dot"), text);
}
