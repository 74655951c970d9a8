// The bar on top of every page: where one is, whether the system is well, whether news arrive.

import { get, post } from "/app/api.js";
import { el, fill, icon } from "/app/dom.js";
import { setServerTime } from "/app/format.js";

const SYSTEM_EVERY_MS = 5000;
const NAMES = {
  database: "Database",
  queue: "Queue",
  ingest: "Cameras in (ingest)",
  vision: "Vision",
  moe_core: "Reasoning",
  alerts: "Alerts",
};

/**
 * Put the bar into the page.
 * @param {"overview"|"alert"|"cameras"|"account"} page
 * @returns {{setConnection: (state: string) => void}}
 */
export function mountTopbar(page) {
  const health = el("details.health", { data: { state: "unknown" } });
  const connection = el("span.pill.connection", { data: { state: "connecting" }, attrs: { role: "status" } });
  const link = (href, name, label, symbol) =>
    el(
      "a.nav-link",
      { href, attrs: { "aria-current": page === name ? "page" : null } },
      icon(symbol),
      el("span", {}, label),
    );
  const signOut = el("button.menu-item", { type: "button", on: { click: leave } }, "Sign out");
  const account = el(
    "details.account",
    {},
    el("summary.icon-button", { aria: { label: "Account" } }, icon("user")),
    el("div.menu", {}, el("a.menu-item", { href: "/account" }, "Password and tokens"), signOut),
  );
  document.getElementById("topbar").append(
    el("a.brand", { href: "/", aria: { label: "Vigil, overview" } }, brandMark(), el("span", {}, "Vigil")),
    el(
      "nav.nav",
      { aria: { label: "Pages" } },
      link("/", "overview", "Overview", "grid"),
      link("/cameras", "cameras", "Cameras", "camera"),
    ),
    el("div.topbar-end", {}, connection, health, account),
  );
  closeOnOutsideClick(health, account);
  watchSystem(health);
  const setConnection = (state) => {
    connection.dataset.state = state;
    const label = { live: "Live", reconnecting: "Reconnecting", connecting: "Connecting" }[state];
    fill(connection, el("span.dot"), el("span.pill-text", {}, label));
  };
  setConnection("connecting");
  return { setConnection };
}

function brandMark() {
  return el("img", { src: "/open/mark.svg", alt: "", width: 28, height: 28 });
}

async function leave() {
  await post("/api/v1/sign-out").catch(() => null);
  location.assign("/sign-in");
}

function closeOnOutsideClick(...all) {
  addEventListener("click", (event) => {
    for (const details of all) if (!details.contains(event.target)) details.open = false;
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const details of all) {
      if (details.open) details.querySelector("summary").focus();
      details.open = false;
    }
  });
}

function watchSystem(health) {
  const summary = el("summary.pill", { attrs: { title: "System health" } });
  const list = el("ul");
  const version = el("p.muted");
  health.append(summary, el("div.menu.health-menu", {}, list, version));
  const show = (state, text) => {
    health.dataset.state = state;
    fill(summary, el("span.dot"), el("span.pill-text", {}, text));
  };
  const ask = async () => {
    try {
      const system = await get("/api/v1/system");
      setServerTime(system.now);
      const missing = system.parts.filter((part) => !part.ok);
      if (missing.length === 0) show("good", "All systems running");
      else if (missing.length === 1) show("bad", `${NAMES[missing[0].name] ?? missing[0].name} is down`);
      else show("bad", `${missing.length} parts are down`);
      fill(list, ...system.parts.map((part) => partRow(part, system.stages)));
      version.textContent = `Vigil ${system.version}`;
    } catch (error) {
      show("bad", error.status === 0 ? "Vigil cannot be reached" : "Health unknown");
    }
    setTimeout(ask, SYSTEM_EVERY_MS);
  };
  show("unknown", "Checking");
  ask();
}

function partRow(part, stages) {
  const restarts = stages
    .filter((stage) => stage.stage === part.name)
    .reduce((sum, stage) => sum + stage.restarts, 0);
  const detail = part.ok ? (restarts ? `running, restarted ${restarts} \u00d7` : "running") : part.detail;
  return el(
    "li.part",
    { data: { ok: part.ok } },
    icon(part.ok ? "check" : "cross"),
    el("span", {}, NAMES[part.name] ?? part.name),
    el("span.muted", {}, detail),
  );
}

