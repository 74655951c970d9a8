// Polygons over a picture: drawn, moved and taken back, by mouse, by touch and by keyboard.

import { shape } from "/app/dom.js";
import { areaOf, CORNERS_MAX, nameOf } from "/app/mask_draft.js";

const STEP = 0.005;
const LONG_STEP = 0.05; // with Shift
const BORDER_PX = 8; // so near the picture's border means the border
const CLOSE_PX = 14;
const AREA_MIN = 1e-5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const within = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1e4) / 1e4;
const moved = ([x, y], [dx, dy]) => [within(x + dx), within(y + dy)];
const percent = (value) => `${Math.round(100 * value)} %`;

/** Edits the masks of a draft; `element` lies over the picture and has its size. */
export class MaskEditor {
  /**
   * @param {MaskDraft} draft
   * @param {object} listeners
   * @param {(text: string) => void} listeners.say - What one can do next, for all to read.
   * @param {() => void} listeners.onState - Another mask or corner is chosen, drawing began or ended.
   */
  constructor(draft, { say, onState }) {
    this.draft = draft;
    this.say = say;
    this.onState = onState;
    this.chosen = null;
    this.corner = null;
    this.drawing = null;
    this.drag = null;
    this.drags = 0;
    this.isRefocusing = false; // what was focused is there anew: nobody went to it
    this.element = shape("svg", { class: "mask-stage", role: "group", "aria-label": "Masks on the picture" });
    const on = (name, listener) => this.element.addEventListener(name, listener.bind(this));
    on("pointerdown", this.press);
    on("pointermove", this.move);
    on("pointerup", this.release);
    on("pointercancel", this.release);
    on("mousedown", (event) => event.preventDefault()); // the focus is set where something is drawn anew
    on("keydown", this.key);
    on("focusin", this.focused);
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  begin() {
    this.drawing = { points: [], cursor: [0.5, 0.5] };
    this.choose(null);
    this.element.setAttribute("tabindex", "0");
    this.element.focus({ preventScroll: true });
    this.say("Put corners around what shall be covered: click, tap, or arrow keys and Space. Enter, or a click on the first corner, finishes; Escape stops.");
  }

  /** Make a mask of what was drawn; false if that is none yet. */
  finish() {
    const { points } = this.drawing;
    if (points.length < 3 || areaOf(points) < AREA_MIN) {
      this.say(points.length < 3 ? `A mask needs three corners or more; there ${points.length === 1 ? "is 1" : `are ${points.length}`}.` : "These corners enclose nothing.");
      return false;
    }
    this.stop();
    this.choose(this.draft.add(points));
    this.say("Drawn, not saved yet. Drag corners to change the shape; a small dot on an edge becomes a corner.");
    this.focusOn(`mask ${this.chosen}`);
    return true;
  }

  stop() {
    this.drawing = null;
    this.element.removeAttribute("tabindex");
    this.say("");
    this.onState();
    this.draw();
  }

  /** Take back the corner that was put last. */
  back() {
    this.drawing.points.pop();
    this.onState();
    this.draw();
  }

  choose(id, corner = null) {
    if (id !== this.chosen) this.draft.endBurst();
    this.chosen = id;
    this.corner = corner;
    this.onState();
    this.draw();
  }

  get mask() {
    return this.draft.of(this.chosen);
  }

  get canRemoveCorner() {
    return this.corner !== null && this.mask?.polygon.length > 3 && this.corner < this.mask.polygon.length;
  }

  removeCorner() {
    if (!this.canRemoveCorner) {
      this.say("A mask keeps at least three corners; remove the mask instead.");
      return;
    }
    const left = this.mask.polygon.filter((_, index) => index !== this.corner);
    this.corner = Math.min(this.corner, left.length - 1);
    this.draft.reshape(this.chosen, left);
    this.focusOn(`corner ${this.corner}`);
    this.onState();
  }

  /** Put a corner in the middle of the edge that begins at one; false if there are enough. */
  split(index) {
    const { polygon } = this.mask;
    if (polygon.length >= CORNERS_MAX) {
      this.say(`A mask has ${CORNERS_MAX} corners at most.`);
      return false;
    }
    const [[x1, y1], [x2, y2]] = [polygon[index], polygon[(index + 1) % polygon.length]];
    this.corner = index + 1;
    this.draft.reshape(this.chosen, polygon.toSpliced(index + 1, 0, [within((x1 + x2) / 2), within((y1 + y2) / 2)]), `drag ${this.drags}`);
    return true;
  }

  put(at) {
    const { points } = this.drawing;
    if (points.length >= 3 && this.distance(at, points[0]) < CLOSE_PX) {
      this.finish();
      return;
    }
    if (points.length && this.distance(at, points.at(-1)) < 2) return;
    if (points.length >= CORNERS_MAX) {
      this.say(`A mask has ${CORNERS_MAX} corners at most; finish it.`);
      return;
    }
    points.push(at);
    this.onState();
    this.draw();
  }

  // What people do

  press(event) {
    if (event.button !== 0) return;
    const at = this.at(event);
    if (this.drawing) {
      this.drawing.cursor = at;
      this.put(at);
      return;
    }
    const data = event.target.closest("[data-corner], [data-edge], [data-mask]")?.dataset ?? {};
    this.drags += 1;
    if (data.corner !== undefined) {
      this.choose(this.chosen, Number(data.corner));
      this.drag = { corner: this.corner };
    } else if (data.edge !== undefined) {
      if (this.split(Number(data.edge))) this.drag = { corner: this.corner };
    } else if (data.mask !== undefined) {
      if (data.mask === this.chosen) this.drag = { from: at, polygon: this.mask.polygon };
      this.choose(data.mask);
    } else {
      this.choose(null);
    }
    if (this.drag) this.element.setPointerCapture(event.pointerId);
    const key = this.corner === null ? `mask ${this.chosen}` : `corner ${this.corner}`;
    if (this.chosen) this.focusOn(key);
  }

  move(event) {
    if (this.drawing) {
      this.drawing.cursor = this.at(event);
      this.draw();
      return;
    }
    if (!this.drag || !this.mask) return;
    const at = this.at(event);
    const { corner, from, polygon } = this.drag;
    const shaped = corner === undefined ? shifted(polygon, at[0] - from[0], at[1] - from[1]) : this.mask.polygon.with(corner, at);
    this.draft.reshape(this.chosen, shaped, `drag ${this.drags}`);
  }

  release() {
    if (!this.drag) return;
    this.drag = null;
    this.draft.endBurst();
  }

  key(event) {
    const arrow = ARROWS[event.key];
    const step = event.shiftKey ? LONG_STEP : STEP;
    const by = arrow && [arrow[0] * step, arrow[1] * step];
    const isTaken = this.drawing ? this.drawingKey(event.key, by) : this.shapeKey(event, by);
    if (isTaken) event.preventDefault();
  }

  drawingKey(key, by) {
    if (by) {
      this.drawing.cursor = moved(this.drawing.cursor, by);
      this.draw();
    } else if (key === " ") this.put(this.drawing.cursor);
    else if (key === "Enter") this.finish();
    else if (key === "Escape") this.stop();
    else if (key === "Backspace" || key === "Delete") this.back();
    else return false;
    return true;
  }

  shapeKey({ key, target }, by) {
    const { corner, mask } = target.dataset;
    if (key === "Escape" && this.chosen) {
      const id = this.chosen;
      this.choose(null);
      this.focusOn(`mask ${id}`);
      return true;
    }
    if (corner !== undefined) return this.cornerKey(key, by, Number(corner));
    if (mask === undefined) return false;
    if (key === "Enter" || key === " ") this.choose(mask);
    else if (by && mask === this.chosen) this.draft.reshape(mask, shifted(this.mask.polygon, ...by), `keys ${mask}`);
    else if (key === "Delete" || key === "Backspace") this.draft.remove(mask);
    else return false;
    return true;
  }

  cornerKey(key, by, corner) {
    if (by) this.draft.reshape(this.chosen, this.mask.polygon.with(corner, moved(this.mask.polygon[corner], by)), `keys ${corner}`);
    else if (key === "Delete" || key === "Backspace") this.removeCorner();
    else if (key === "Insert" || key === "+") {
      this.drags += 1;
      if (this.split(corner)) this.focusOn(`corner ${this.corner}`);
      this.onState();
    } else return false;
    return true;
  }

  focused({ target }) {
    if (this.isRefocusing || target.dataset.corner === undefined || Number(target.dataset.corner) === this.corner) return;
    this.corner = Number(target.dataset.corner);
    this.onState();
    this.say("Arrow keys move the corner, with Shift further; Delete removes it, + adds one after it.");
  }

  // Where things are

  /** Where a pointer is, normalised; beside the border on it. */
  at({ clientX, clientY }) {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    const onBorder = (value, length) => (value < BORDER_PX ? 0 : value > length - BORDER_PX ? 1 : value / length);
    return [within(onBorder(clientX - left, width)), within(onBorder(clientY - top, height))];
  }

  distance([x1, y1], [x2, y2]) {
    const { width, height } = this.element.getBoundingClientRect();
    return Math.hypot((x1 - x2) * width, (y1 - y2) * height);
  }

  focusOn(key) {
    [...this.element.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key)?.focus({ preventScroll: true });
  }

  // What is seen

  draw() {
    const { width, height } = this.element.getBoundingClientRect();
    if (!width) return;
    if (this.chosen && !this.mask) this.chosen = this.corner = null;
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    const place = ([x, y]) => [x * width, y * height];
    this.element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.element.classList.toggle("is-drawing", Boolean(this.drawing));
    this.element.replaceChildren(
      ...this.draft.masks.map((mask) => this.polygon(mask, place)),
      ...this.draft.masks.map((mask) => label(mask, place)),
      ...(this.mask && !this.drawing ? this.handles(place) : []),
      ...(this.drawing ? this.outline(place) : []),
    );
    this.isRefocusing = true;
    if (focused) this.focusOn(focused);
    this.isRefocusing = false;
  }

  polygon(mask, place) {
    const isChosen = mask.id === this.chosen;
    const drawn = shape("polygon", {
      class: isChosen ? "mask is-chosen" : "mask",
      points: mask.polygon.map(place).join(" "),
      tabindex: this.drawing ? null : "0",
      role: "button",
      "aria-pressed": String(isChosen),
      "aria-label": `${nameOf(mask)}, ${mask.polygon.length} corners`,
    });
    drawn.dataset.mask = mask.id;
    drawn.dataset.key = `mask ${mask.id}`;
    return drawn;
  }

  handles(place) {
    const { polygon } = this.mask;
    const edges = polygon.map((point, index) => {
      const [[x1, y1], [x2, y2]] = [place(point), place(polygon[(index + 1) % polygon.length])];
      const dot = handle("edge", [(x1 + x2) / 2, (y1 + y2) / 2], 4);
      dot.dataset.edge = index;
      return dot;
    });
    const corners = polygon.map((point, index) => {
      const dot = handle(index === this.corner ? "corner is-chosen" : "corner", place(point), 6, {
        tabindex: "0",
        role: "button",
        "aria-label": `Corner ${index + 1} of ${nameOf(this.mask)}, ${percent(point[0])} across, ${percent(point[1])} down`,
      });
      dot.dataset.corner = index;
      dot.dataset.key = `corner ${index}`;
      return dot;
    });
    return [...edges, ...corners];
  }

  outline(place) {
    const { points, cursor } = this.drawing;
    const [x, y] = place(cursor);
    return [
      shape("polygon", { class: "mask is-chosen", points: [...points, cursor].map(place).join(" ") }),
      ...points.map((point, index) => handle(index === 0 && points.length > 2 ? "corner is-first" : "corner", place(point), index === 0 && points.length > 2 ? 8 : 5)),
      shape("path", { class: "crosshair", d: `M${x - 12} ${y}h24M${x} ${y - 12}v24` }),
    ];
  }
}

/** A polygon moved as a whole, and no further than the picture. */
function shifted(polygon, dx, dy) {
  const kept = (by, values) => Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), by));
  const across = kept(dx, polygon.map(([x]) => x));
  const down = kept(dy, polygon.map(([, y]) => y));
  return polygon.map((point) => moved(point, [across, down]));
}

/** A dot with room around it for fingers. */
function handle(kind, [x, y], radius, attrs = {}) {
  return shape("g", { class: kind, ...attrs }, shape("circle", { class: "reach", cx: x, cy: y, r: 16 }), shape("circle", { class: "dot", cx: x, cy: y, r: radius }));
}

function label(mask, place) {
  const [x, y] = place(mask.polygon.reduce((best, point) => (point[0] + point[1] < best[0] + best[1] ? point : best)));
  return shape("text", { class: "mask-name", x: x + 8, y: y + 18 }, nameOf(mask));
}
