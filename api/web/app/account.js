// One's own account: password and API tokens.

import { get, post, put, remove } from "/app/api.js";
import { el, fill, icon } from "/app/dom.js";
import { ago, dateAndTime } from "/app/format.js";
import { listen } from "/app/stream.js";
import { mountTopbar } from "/app/topbar.js";

const field = (id, label, options, hint) =>
  el("div.field", {}, el("label", { htmlFor: id }, label), el("input", { id, ...options }), hint && el("span.hint", {}, hint));

function notice(kind, symbol, ...content) {
  return el(`div.notice.${kind}`, { attrs: { role: "status" } }, icon(symbol), el("div", {}, ...content));
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

async function passwordPanel(container) {
  const me = await get("/api/v1/me");
  const needsCurrent = me.has_password && me.signed_in_by !== "link";
  const message = el("div");
  const form = el(
    "form",
    { noValidate: true },
    el("input", { type: "text", name: "username", value: me.name, autocomplete: "username", hidden: true }),
    needsCurrent && field("current", "Current password", { type: "password", autocomplete: "current-password" }),
    field("new-password", "New password", { type: "password", autocomplete: "new-password", maxLength: 256 }, "12 characters or more. Your other sessions end when it is set."),
    message,
    el("button.button.primary", { type: "submit" }, me.has_password ? "Change password" : "Set password"),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await put("/api/v1/me/password", {
        password: form.querySelector("#new-password").value,
        current_password: form.querySelector("#current")?.value ?? "",
      });
      form.reset();
      fill(message, notice("good", "check", "The password is set."));
    } catch (error) {
      fill(message, notice("bad", "high", sentence(error.message)));
    }
  });
  fill(
    container,
    el("h2", {}, "Password"),
    el("p.muted", {}, `Signed in as ${me.name} until ${dateAndTime(me.expires_at)}.`),
    form,
  );
}

async function tokensPanel(container) {
  const body = el("tbody");
  const made = el("div");
  const none = el("p.muted", { hidden: true }, "No tokens yet. A script or Prometheus needs one to call the API.");
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...["Name", "Last used", "Ends", ""].map((name) => el("th", {}, name)))), body);
  const show = async () => {
    const { items } = await get("/api/v1/tokens");
    none.hidden = items.length > 0;
    table.hidden = items.length === 0;
    fill(
      body,
      ...items.map((token) =>
        el(
          "tr",
          {},
          el("td", {}, token.name),
          el("td.muted", {}, token.last_used_at ? ago(token.last_used_at) : "never"),
          el("td.muted", {}, dateAndTime(token.expires_at).split(",").slice(0, 2).join(",")),
          el("td.num", {}, el("button.button.quiet.danger", { type: "button", on: { click: () => revoke(token) } }, "Revoke")),
        ),
      ),
    );
  };
  const revoke = async (token) => {
    await remove(`/api/v1/tokens/${token.id}`).catch(() => null);
    show();
  };
  const form = el("form.inline-form", { noValidate: true }, field("token-name", "What is it for?", { placeholder: "Prometheus", maxLength: 100 }), el("button.button", { type: "submit" }, icon("plus"), "Make a token"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = form.querySelector("#token-name").value.trim();
    try {
      const token = await post("/api/v1/tokens", { name });
      form.reset();
      fill(made, notice("good", "check", "Copy it now, it is not shown again:", el("code.token", {}, token.token)));
      show();
    } catch (error) {
      fill(made, notice("bad", "high", sentence(error.message)));
    }
  });
  fill(container, el("h2", {}, "API tokens"), el("p.muted", {}, "Send one as ", el("code", {}, "Authorization: Bearer vgl_..."), ". It may do all that you may."), form, made, none, table);
  await show();
}

const topbar = mountTopbar("account");
listen({ onAlert: () => null, onState: topbar.setConnection, onOpen: () => null });
await Promise.all([
  passwordPanel(document.getElementById("password")),
  tokensPanel(document.getElementById("tokens")),
]);
