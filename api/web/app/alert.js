// One alert: its chain claim by claim, each beside the frame that shows it; revised live.

import { get, post } from "/app/api.js";
import { clipPanel, marginPanel, notesPanel, objectsPanel, timingPanel } from "/app/alert_panels.js";
import { confidenceText, phaseChip, severityMark, stateChip, whereOf } from "/app/alert_words.js";
import { Chain } from "/app/chain.js";
import { el, fill, icon } from "/app/dom.js";
import { ago, dateAndTime, words } from "/app/format.js";
import { FrameView } from "/app/frame_view.js";
import { listen } from "/app/stream.js";
import { mountTopbar } from "/app/topbar.js";

const alertId = decodeURIComponent(location.pathname.split("/").pop());
const main = document.getElementById("main");
const DECISIONS = {
  alert: "Tell people",
  watch: "Keep watching",
  ignore: "Nothing to do",
  abstain: "No conclusion",
};

class AlertPage {
  constructor() {
    this.frames = new FrameView();
    this.chain = new Chain((claim, frameId) => this.frames.showClaim(claim, frameId));
    this.head = el("header.alert-head");
    this.margin = el("section.panel");
    this.notes = notesPanel();
    this.timing = el("section.panel");
    this.clip = el("section.panel");
    this.objects = el("section.panel");
    this.alert = null;
    this.event = null;
    this.clipKey = "";
  }

  async load() {
    try {
      const alert = await get(`/api/v1/alerts/${encodeURIComponent(alertId)}`);
      await this.show(alert);
    } catch (error) {
      if (!this.alert) showError(error);
    }
  }

  /** Show a revision; an older one than is shown changes nothing. */
  async show(alert) {
    if (this.alert && alert.revision < this.alert.revision) return;
    const event = await get(`/api/v1/events/${alert.event_id}`);
    const isFirst = this.alert === null;
    this.alert = alert;
    this.event = event;
    if (isFirst) this.mount();
    document.title = `${alert.title} - Vigil`;
    this.renderHead();
    this.frames.setEvent(event);
    this.chain.show(alert.reasoning?.claims ?? [], alert);
    this.notes.show(alert.notes, alert.state === "resolved");
    fill(this.margin, ...marginPanel(alert.margin, alert.kind));
    fill(this.timing, ...timingPanel(alert, event));
    fill(this.objects, ...objectsPanel(alert.objects, event));
    this.renderClip();
    if (isFirst) this.chain.selectFirst();
  }

  mount() {
    main.setAttribute("aria-busy", "false");
    fill(
      main,
      this.head,
      el(
        "div.alert-columns",
        {},
        el("div.alert-evidence", {}, this.frames.element, this.clip, this.objects, this.timing),
        el("div.alert-reasons", {}, this.margin, this.notes.element, this.chain.element),
      ),
    );
  }

  renderHead() {
    const { alert } = this;
    const act = (name, label, kind) =>
      el(`button.button${kind}`, { type: "button", on: { click: (event) => this.move(name, event.currentTarget) } }, label);
    const at = alert.opened_at ?? alert.start;
    this.head.dataset.severity = alert.severity;
    fill(
      this.head,
      el("a.back", { href: "/" }, icon("chevron"), "All alerts"),
      el(
        "div.alert-title-row",
        {},
        el(
          "div",
          {},
          el("div.chips", {}, severityMark(alert.severity), phaseChip(alert), stateChip(alert)),
          el("h1", {}, alert.title),
          el(
            "p.muted",
            {},
            `${whereOf(alert)} \u00b7 `,
            el("time", { dateTime: at, title: dateAndTime(at) }, `${dateAndTime(at)} (${ago(at)})`),
          ),
          el("p.alert-summary", {}, alert.summary),
        ),
        el(
          "div.actions",
          {},
          alert.state === "open" && act("ack", "Acknowledge", ".primary"),
          alert.state !== "resolved" && act("resolve", "Resolve", ""),
          el("a.button.quiet", { href: `/api/v1/alerts/${alert.alert_id}`, target: "_blank", rel: "noopener" }, "JSON"),
        ),
      ),
      el("dl.alert-facts", {}, ...this.facts()),
    );
  }

  facts() {
    const { alert } = this;
    const fact = (name, value, note) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, value, note && el("span.muted", {}, note)));
    const basis = { program: "from the measurements' uncertainty", calibrated: "calibrated on labelled events" };
    const verdict = alert.reasoning?.verdict;
    return [
      fact("Decision", DECISIONS[alert.decision] ?? words(alert.decision)),
      fact("Confidence", confidenceText(alert) || "not reasoned yet", basis[alert.reasoning?.confidence_basis] ?? ""),
      fact("Verdict", verdict ? words(verdict) : alert.is_unreasoned ? "Not reasoned in time" : "Reasoning ..."),
      fact("Rule", alert.rule.id, `${words(alert.kind).toLowerCase()}, version ${alert.rule.version}`),
    ];
  }

  renderClip() {
    // Not anew at each revision: a player must not jump back while somebody watches.
    const key = `${this.event.clip.state} ${this.event.clip.problem}`;
    if (key === this.clipKey) return;
    this.clipKey = key;
    fill(this.clip, ...clipPanel(this.event.clip, this.event.links.snapshot, this.event.still));
    if (this.event.clip.state === "pending") setTimeout(() => this.refreshEvent(), 2000);
  }

  async refreshEvent() {
    const event = await get(`/api/v1/events/${this.alert.event_id}`).catch(() => null);
    if (!event) return;
    this.event = event;
    this.clipKey = event.clip.state === "pending" ? "" : this.clipKey;
    this.frames.setEvent(event);
    this.renderClip();
  }

  async move(action, button) {
    button.disabled = true;
    try {
      const note = this.notes.getNote();
      await this.show(await post(`/api/v1/alerts/${alertId}/${action}`, note ? { note } : undefined));
      this.notes.clear();
    } catch (error) {
      button.disabled = false;
      this.head.append(el("p.notice.bad", { attrs: { role: "alert" } }, icon("high"), `That did not work: ${error.message}.`));
    }
  }
}

function showError(error) {
  main.setAttribute("aria-busy", "false");
  const isMissing = error.status === 404;
  fill(
    main,
    el(
      "div.empty",
      {},
      icon(isMissing ? "question" : "high"),
      el("h3", {}, isMissing ? "There is no such alert" : "This alert cannot be shown"),
      el("p", {}, isMissing ? "It may have been removed with the history it belongs to." : `${error.message}. Trying again.`),
      el("a.button", { href: "/" }, "All alerts"),
    ),
  );
}

const topbar = mountTopbar("alert");
const page = new AlertPage();
listen({
  onAlert: (alert) => alert.alert_id === alertId && page.show(alert).catch(() => null),
  onState: topbar.setConnection,
  onOpen: () => page.load(),
});
page.load();
