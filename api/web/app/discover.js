// Looking for ONVIF cameras: what answers is listed, and its address put into the form.

import { post } from "/app/api.js";
import { el, fill, icon } from "/app/dom.js";

const LOGIN = "user:password";

/**
 * A button that asks the network, and what answered.
 * @param {HTMLInputElement} address Takes the address of the one that is chosen.
 * @returns {HTMLElement}
 */
export function discovery(address) {
  const found = el("div.found", { attrs: { role: "status" } });
  const look = el("button.button", { type: "button" }, "Look for ONVIF cameras");
  look.addEventListener("click", async () => {
    look.disabled = true;
    fill(found, el("p.muted", {}, "Asking the network, 3 seconds ..."));
    try {
      const { items } = await post("/api/v1/cameras/discover", {});
      fill(found, ...(items.length ? items.map((device) => row(device, address)) : [nothing()]));
    } catch (error) {
      fill(found, el("p.notice.bad", {}, icon("high"), `Not looked: ${error.message}.`));
    }
    look.disabled = false;
  });
  return el("div.discovery", {}, look, found);
}

function row(device, address) {
  const title = [device.name, device.hardware, device.location].filter(Boolean).join(", ") || device.address;
  const choose = el("button.button.quiet", { type: "button", on: { click: () => take(device, address) } }, "Use");
  return el(
    "div.found-device",
    {},
    el("div", {}, el("strong", {}, title), el("p.muted.mono", {}, device.address)),
    device.camera_id ? el("span.muted", {}, `added as ${device.camera_id}`) : choose,
  );
}

/** Put the address into the form, with what has to be typed over selected. */
function take(device, address) {
  const [scheme, rest] = device.url.split("://");
  address.value = `${scheme}://${LOGIN}@${rest}`;
  address.focus();
  const at = scheme.length + 3;
  address.setSelectionRange(at, at + LOGIN.length);
}

function nothing() {
  return el("p.muted", {}, "Nothing answered. ONVIF may be switched off in the cameras, or they are in another network.");
}
