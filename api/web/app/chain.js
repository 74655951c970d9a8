// The chain of claims, in its order, each with what the verifier found and where it is to be seen.

import { el, fill, icon } from "/app/dom.js";
import { withTolerance } from "/app/format.js";

const ROLES = [
  ["observation", "What was seen"],
  ["relation", "How it relates"],
  ["hypothesis", "Possible explanations"],
  ["ruled_out", "Ruled out"],
  ["counter", "What speaks against it"],
  ["verdict", "Verdict"],
];
const STATUS = {
  supported: ["check", "Supported by measurements"],
  contradicted: ["cross", "Contradicted by measurements"],
  unverifiable: ["question", "Cannot be verified"],
};

/** Shows claims; calls `onSelect(claim, frameId?)` when one (or its frame) is chosen. */
export class Chain {
  constructor(onSelect) {
    this.onSelect = onSelect;
    this.selected = "";
    this.claims = new Map();
    this.rows = new Map();
    this.body = el("div.chain-body");
    this.tally = el("span.tally");
    this.element = el(
      "section.panel.chain",
      { aria: { label: "Reasoning" } },
      el("header.panel-head", {}, el("h2", {}, "Reasoning"), this.tally),
      this.body,
    );
  }

  show(claims, alert) {
    this.claims = new Map(claims.map((claim) => [claim.id, claim]));
    this.rows.clear();
    fill(this.tally, ...tallyOf(claims));
    if (claims.length === 0) {
      fill(this.body, waitingNote(alert));
      return;
    }
    const groups = ROLES.map(([role, title]) => [title, claims.filter((claim) => claim.role === role)]);
    fill(this.body, ...groups.filter(([, group]) => group.length).map(([title, group]) => this.group(title, group)));
    this.mark();
  }

  /** Choose the claim that decides: that the rule is met; without it the first that names a track. */
  selectFirst() {
    const claims = [...this.claims.values()];
    const deciding =
      claims.find((claim) => claim.type === "meets_rule") ??
      claims.find((claim) => claim.frames.length && claim.args.track);
    if (deciding) this.select(deciding);
  }

  group(title, claims) {
    return el("div.claim-group", {}, el("h3", {}, title), el("ol", {}, ...claims.map((claim) => this.row(claim))));
  }

  row(claim) {
    const [sign, meaning] = STATUS[claim.status] ?? ["question", claim.status];
    const value = withTolerance(claim.measured, claim.tolerance, claim.unit);
    const choose = el(
      "button.claim",
      {
        type: "button",
        data: { status: claim.status, claim: claim.id },
        on: { click: () => this.select(claim), focus: () => this.select(claim) },
      },
      el("span.claim-sign", { title: meaning }, icon(sign), el("span.visually-hidden", {}, `${meaning}.`)),
      el(
        "span.claim-text",
        {},
        claim.text,
        claim.note && el("span.claim-note", {}, claim.note),
        el(
          "span.claim-meta",
          {},
          el("span.mono", {}, claim.id),
          value && el("span.claim-value", { title: "Measured by the verifier" }, value),
          restsOn(claim),
        ),
      ),
    );
    const row = el("li", {}, choose, framePicker(claim, (frameId) => this.select(claim, frameId)));
    this.rows.set(claim.id, row);
    return row;
  }

  select(claim, frameId) {
    this.selected = claim.id;
    this.mark();
    this.onSelect(claim, frameId);
  }

  mark() {
    for (const [id, row] of this.rows) row.classList.toggle("is-selected", id === this.selected);
  }
}

function framePicker(claim, onPick) {
  if (claim.frames.length < 2) return null;
  return el(
    "div.claim-frames",
    { aria: { label: `Frames of ${claim.id}` }, attrs: { role: "group" } },
    ...claim.frames.map((frameId) =>
      el("button.frame-link", { type: "button", on: { click: () => onPick(frameId) } }, frameId.replace("f_", "frame ")),
    ),
  );
}

function restsOn(claim) {
  const claims = claim.evidence.filter((id) => /^c\d+$/.test(id));
  if (claims.length) return el("span.muted", {}, `rests on ${claims.join(", ")}`);
  const { length } = claim.frames;
  if (length === 0) return null;
  return el("span.muted", {}, length === 1 ? claim.frames[0].replace("f_", "frame ") : `${length} frames`);
}

function tallyOf(claims) {
  return Object.entries(STATUS)
    .map(([status, [sign, meaning]]) => [status, sign, meaning, claims.filter((claim) => claim.status === status).length])
    .filter(([, , , count]) => count)
    .map(([status, sign, meaning, count]) =>
      el("span.tally-item", { title: meaning, data: { status } }, icon(sign), String(count), el("span.visually-hidden", {}, status)),
    );
}

function waitingNote(alert) {
  const text = alert.is_unreasoned
    ? "The reasoning missed its deadline. The rule's word stands alone; what it measured is above."
    : "The reasoning is at work. Its claims appear here by themselves.";
  return el("p.muted", {}, text);
}
