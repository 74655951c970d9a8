// Making elements without ever parsing markup: what cameras, rules and people are called stays text.

/**
 * Make an element.
 * @param {string} tag - Name, with classes after dots: "div.card.wide".
 * @param {object} [props] - Properties; `on` holds listeners, `data` and `aria` attributes of that
 *   prefix, `attrs` any others. A value of null or undefined is left out.
 * @param {...(Node|string|null|undefined|false)} children - Left out if empty.
 */
export function el(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  const { on = {}, data = {}, aria = {}, attrs = {}, ...rest } = props;
  for (const [key, value] of Object.entries(rest)) if (value != null) element[key] = value;
  for (const [key, value] of Object.entries(data)) element.dataset[key] = value;
  for (const [key, value] of Object.entries(aria)) element.setAttribute(`aria-${key}`, value);
  for (const [key, value] of Object.entries(attrs)) {
    if (value != null) element.setAttribute(key, value);
  }
  for (const [key, listener] of Object.entries(on)) element.addEventListener(key, listener);
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

/** Replace all children. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child || child === 0));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Make an element of a drawing; `attrs` are attributes, null left out. */
export function shape(name, attrs = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attrs)) {
    if (value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

/** Show a notice that says something. */
export function say(notice, kind, symbol, ...content) {
  notice.className = `notice ${kind}`;
  notice.hidden = false;
  fill(notice, icon(symbol), ...content);
}

/** Ask before something is done that cannot be taken back; true if it shall be. */
export function confirmed({ heading, text, keep, act }) {
  const dialog = el(
    "dialog.panel",
    { aria: { label: heading } },
    el("h2", {}, heading),
    el("p.muted", {}, text),
    el("form.dialog-actions", { method: "dialog" }, el("button.button", { value: "keep" }, keep), el("button.button.danger", { value: "act" }, act)),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "act");
    });
  });
}

const PATHS = {
  info: "M8 1.500a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13ZM8 7.250v4M8 4.750v.01",
  low: "M3 6l5 5 5-5",
  medium: "M2.500 8h11M8 2.500v11M8 2.500 13.500 8 8 13.500 2.500 8Z",
  high: "M8 2 14.500 13.500h-13ZM8 6.500v3.250M8 11.600v.01",
  critical: "M5.300 1.500h5.400l3.800 3.800v5.400l-3.800 3.800H5.300l-3.800-3.800V5.300ZM8 4.750v4M8 11v.01",
  check: "M3 8.500 6.500 12 13 4.500",
  cross: "M4 4l8 8M12 4l-8 8",
  question: "M5.500 6a2.500 2.500 0 1 1 3.500 2.300c-.700.300-1 .700-1 1.450M8 12.250v.01",
  camera: "M1.750 4.500h8.500v7h-8.500ZM10.250 7l4-2v6l-4-2",
  blind: "M2 2l12 12M6 4.200C6.650 4.070 7.300 4 8 4c3 0 5.300 2 6.500 4-.500.800-1.100 1.550-1.850 2.200M4 5.300C3 6.100 2.100 7 1.500 8 2.700 10 5 12 8 12c.900 0 1.750-.180 2.500-.480",
  clock: "M8 1.500a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13ZM8 4.500V8l2.500 1.500",
  chevron: "M6 3l5 5-5 5",
  sound: "M2 6v4h2.500L8 13V3L4.500 6ZM10.500 5.500a3.500 3.500 0 0 1 0 5M12.500 3.500a6.300 6.300 0 0 1 0 9",
  mute: "M2 6v4h2.500L8 13V3L4.500 6ZM11 6l3.500 4M14.500 6 11 10",
  pin: "M8 14.500C5 11.300 3.500 9 3.500 6.500a4.500 4.500 0 0 1 9 0C12.500 9 11 11.300 8 14.500ZM8 5.250a1.500 1.500 0 1 1 0 3 1.500 1.500 0 0 1 0-3Z",
  plus: "M8 3v10M3 8h10",
  trash: "M2.500 4.500h11M6 4.500V2.500h4v2M4 4.500l.600 9h6.800l.600-9",
  user: "M8 2.250a2.750 2.750 0 1 1 0 5.500 2.750 2.750 0 0 1 0-5.500ZM2.750 14c.400-2.800 2.400-4.250 5.250-4.250S12.850 11.200 13.250 14",
  grid: "M2 2.500h5v5H2ZM9 2.500h5v5H9ZM2 9.500h5v4H2ZM9 9.500h5v4H9Z",
  film: "M2 3h12v10H2ZM5 3v10M11 3v10M2 6.300h3M2 9.700h3M11 6.300h3M11 9.700h3",
  frame: "M2 5V2h3M11 2h3v3M14 11v3h-3M5 14H2v-3",
  undo: "M5.500 2.500 2.500 5.500l3 3M2.500 5.500h7a4 4 0 0 1 0 8H6",
  shield: "M8 1.500 13.500 3.500v4c0 3.500-2.300 5.900-5.500 7-3.200-1.100-5.500-3.500-5.500-7v-4Z",
};

/** A line icon of 16 px, hidden from screen readers: the text beside it says the same. */
export function icon(name) {
  const path = shape("path", {
    d: PATHS[name] ?? PATHS.info,
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "1.5",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  });
  return shape("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, path);
}
