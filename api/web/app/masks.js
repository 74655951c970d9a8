// The privacy masks of one camera: drawn over its newest picture, saved, and who changed them when.

import { get, put } from "/app/api.js";
import { confirmed, el, fill, icon, say } from "/app/dom.js";
import { fitCanvas } from "/app/drawing.js";
import { dateAndTime, number } from "/app/format.js";
import { areaOf, changesBetween, isSame, MaskDraft, MASKS_MAX, nameOf, uncovering } from "/app/mask_draft.js";
import { MaskEditor } from "/app/mask_editor.js";
import { NewestPicture } from "/app/newest.js";
import { listen } from "/app/stream.js";
import { mountTopbar } from "/app/topbar.js";

const PICTURE_EVERY_MS = 500;
const IN_FORCE_EVERY_MS = 2000;
const EDITS_MAX = 50;
const IDLE = "Choose a mask to change it, or draw another.";
const NONE = "Draw a mask around what nobody is to see: a neighbour's window, the street.";
const WAITING = "Stored, but not in force yet: the queue (Redis) cannot be reached, so what was in force before still is. Vigil repeats it every 2 s, and this page says when it is.";

const cameraId = location.pathname.split("/")[2];
const url = `/api/v1/cameras/${cameraId}`;
const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const button = (kind, listener, ...content) => el(`button.${kind}`, { type: "button", on: { click: listener } }, ...content);

/** The picture with the tools that draw on it. */
class Picture {
  constructor(container, draft, onState) {
    this.draft = draft;
    this.newest = new NewestPicture(cameraId);
    this.canvas = el("canvas", { attrs: { role: "img", "aria-label": "Newest picture of the camera" } });
    this.missing = el("p.mask-missing", { hidden: true }, icon("blind"), "No picture comes at the moment. Masks can be drawn all the same.");
    this.hint = el("p.muted.mask-hint", { attrs: { role: "status" } });
    this.editor = new MaskEditor(draft, { say: (text) => this.tell(text), onState });
    this.begin = button("button", () => this.editor.begin(), icon("plus"), "Draw a mask");
    this.finish = button("button.primary", () => this.editor.finish(), icon("check"), "Finish");
    this.stop = button("button.quiet", () => this.stopDrawing(), "Stop drawing");
    this.removeCorner = button("button.quiet", () => this.editor.removeCorner(), "Remove corner");
    this.undo = button("button.quiet", () => this.stepBack(), icon("undo"), "Undo");
    this.frame = el("div.mask-picture", {}, this.canvas, this.missing, this.editor.element);
    fill(
      container,
      el("div.mask-tools", { attrs: { role: "group", "aria-label": "Drawing" } }, this.begin, this.finish, this.stop, this.removeCorner, this.undo),
      this.frame,
      this.hint,
    );
    new ResizeObserver(() => this.show()).observe(this.canvas);
    addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z" && event.target.tagName !== "INPUT") {
        event.preventDefault();
        this.stepBack();
      }
    });
    this.showTools();
    this.loop();
  }

  /** What to do next: the editor's words, or what can be done when it has none. */
  tell(text) {
    this.told = text;
    fill(this.hint, text || (this.draft.masks.length ? IDLE : NONE));
  }

  stepBack() {
    if (this.editor.drawing?.points.length) this.editor.back();
    else if (!this.editor.drawing) this.draft.undo();
  }

  stopDrawing() {
    this.editor.stop();
    this.begin.focus();
  }

  update() {
    this.editor.draw();
    this.showTools();
  }

  showTools() {
    const { drawing } = this.editor;
    this.tell(this.told);
    const hadFocus = document.activeElement === this.finish;
    this.begin.hidden = Boolean(drawing);
    this.begin.disabled = this.draft.masks.length >= MASKS_MAX;
    this.begin.title = this.begin.disabled ? `A camera has ${MASKS_MAX} masks at most` : "";
    this.finish.hidden = this.stop.hidden = !drawing;
    this.removeCorner.hidden = Boolean(drawing) || !this.editor.chosen;
    this.removeCorner.disabled = !this.editor.canRemoveCorner;
    this.undo.disabled = drawing ? drawing.points.length === 0 : this.draft.past.length === 0;
    if (hadFocus && !drawing) this.begin.focus();
  }

  async loop() {
    for (;;) {
      const found = document.visibilityState === "visible" ? await this.newest.load().catch(() => "none") : "same";
      this.missing.hidden = found !== "none";
      if (found === "newer") this.show();
      await after(PICTURE_EVERY_MS);
    }
  }

  show() {
    const { bitmap } = this.newest;
    if (!bitmap) return;
    this.frame.style.setProperty("--ratio", bitmap.width / bitmap.height);
    const { context, width, height } = fitCanvas(this.canvas);
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, width, height);
  }
}

/** The list of masks, with their names, and what saves them. */
class MaskList {
  constructor(container, draft, picture) {
    this.draft = draft;
    this.picture = picture;
    this.rows = new Map();
    this.state = el("span.pill", { hidden: true });
    this.list = el("ol.mask-list");
    this.none = el("p.muted", { hidden: true }, "Nothing of this camera's view is covered.");
    this.message = el("div.notice", { hidden: true, attrs: { role: "status" } });
    this.save = button("button.primary", () => this.store(), "Save");
    this.cancel = button("button", () => this.discard(), "Cancel");
    fill(
      container,
      el("header.mask-head", {}, el("h2", {}, "Masks"), this.state),
      this.list,
      this.none,
      this.message,
      el("div.mask-actions", {}, this.save, this.cancel),
    );
    this.isSaving = false;
  }

  /** Begin with what the API has. */
  begin(answer) {
    this.load(answer);
    this.draft.forget();
    this.update();
    if (!answer.in_force) this.waitUntilInForce();
  }

  load(answer) {
    this.draft.load(answer.masks);
    this.show(answer);
  }

  show({ version, in_force: inForce }) {
    this.version = version;
    this.inForce = inForce;
    this.showState();
  }

  showState() {
    const { isChanged, stored } = this.draft;
    this.state.hidden = !isChanged && this.inForce && stored.length === 0;
    this.state.dataset.state = this.inForce && !isChanged ? "good" : "reconnecting";
    fill(this.state, el("span.dot"), isChanged ? "Not saved" : this.inForce ? "In force" : "Not in force yet");
  }

  update() {
    const { masks } = this.draft;
    for (const [id, row] of this.rows) {
      if (this.draft.of(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    masks.forEach((mask, index) => {
      if (!this.rows.has(mask.id)) this.rows.set(mask.id, new MaskRow(mask.id, this.draft, this.picture.editor));
      const row = this.rows.get(mask.id);
      row.update(mask);
      if (this.list.children[index] !== row.element) this.list.insertBefore(row.element, this.list.children[index] ?? null);
    });
    this.none.hidden = masks.length > 0;
    this.showState();
    this.save.disabled = this.isSaving || !this.draft.isChanged;
    this.cancel.disabled = this.isSaving || !this.draft.isChanged;
  }

  discard() {
    this.message.hidden = true;
    this.draft.revert();
  }

  async store() {
    const { masks, stored } = this.draft;
    const uncovered = uncovering(stored, masks);
    if (uncovered.length && !(await confirmed({
      heading: "Uncover part of the picture?",
      text: `You ${changesBetween(uncovered, masks.filter(({ id }) => uncovered.some((mask) => mask.id === id))).join(", ")}. What is covered no more is seen, analysed and recorded from the next picture on.`,
      keep: "Keep it covered",
      act: "Save",
    }))) return;
    for (const row of this.rows.values()) row.setError("");
    this.message.hidden = true;
    this.isSaving = true;
    this.update();
    try {
      this.stored(await this.put(masks, stored));
    } catch (error) {
      this.failed(error, masks);
    }
    this.isSaving = false;
    this.update();
  }

  /** Send the masks; where only something else of the camera was changed meanwhile, once more. */
  async put(masks, stored) {
    try {
      return await put(`${url}/masks`, { masks, version: this.version });
    } catch (error) {
      if (error.code !== "camera-changed") throw error;
      const theirs = await get(`${url}/masks`);
      if (!isSame(theirs.masks, stored)) {
        error.theirs = theirs;
        throw error;
      }
      this.version = theirs.version;
      return put(`${url}/masks`, { masks, version: theirs.version });
    }
  }

  stored(answer) {
    this.draft.saved(answer.masks);
    this.show(answer);
    this.picture.editor.say("");
    showEdits();
    if (answer.in_force) say(this.message, "good", "check", answer.masks.length ? "Saved. New pictures are covered." : "Saved. New pictures are not covered any more.");
    else this.waitUntilInForce();
  }

  async waitUntilInForce() {
    say(this.message, "bad", "clock", WAITING);
    for (;;) {
      await after(IN_FORCE_EVERY_MS);
      const answer = await get(`${url}/masks`).catch(() => null);
      if (answer && !isSame(answer.masks, this.draft.stored)) return; // others are waited for
      if (!answer?.in_force) continue;
      this.show(answer);
      say(this.message, "good", "check", "In force now.");
      return;
    }
  }

  failed(error, masks) {
    if (error.theirs) {
      say(this.message, "bad", "high", el("div", {}, "Not saved: somebody else changed the masks meanwhile. ", button("link-button", () => this.showTheirs(error.theirs), "Show theirs"), " (Undo brings yours back.)"));
      return;
    }
    const rest = error.errors?.filter(({ field, message }) => {
      const row = this.rows.get(masks[/^masks[.[](\d+)/.exec(field)?.[1]]?.id);
      row?.setError(`${message.charAt(0).toUpperCase()}${message.slice(1)}.`);
      return !row;
    });
    const why = rest?.length === 0 && error.errors.length ? "see what stands beside the mask" : error.message;
    say(this.message, "bad", "high", `Not saved: ${why}. What you drew is still here.`);
  }

  showTheirs(theirs) {
    this.message.hidden = true;
    this.load(theirs);
    this.update();
    showEdits();
  }
}

/** One mask: its name, how much it covers, and its end. */
class MaskRow {
  constructor(id, draft, editor) {
    this.editor = editor;
    this.name = el("input", { maxLength: 100, autocomplete: "off", on: { input: () => draft.rename(id, this.name.value), blur: () => draft.endBurst(), focus: () => this.choose(id) } });
    this.facts = el("button.link-button", { type: "button", on: { click: () => this.choose(id) } });
    this.remove = el("button.icon-button", { type: "button", on: { click: () => draft.remove(id) } }, icon("trash"));
    this.error = el("span.error", { hidden: true });
    this.element = el("li.field.mask-row", { data: { mask: id } }, el("div.mask-line", {}, this.name, this.remove), this.facts, this.error);
    this.id = id;
  }

  choose(id) {
    if (!this.editor.drawing && this.editor.chosen !== id) this.editor.choose(id);
  }

  update(mask) {
    if (this.name.value !== mask.name) this.name.value = mask.name;
    this.name.setAttribute("aria-label", `Name of ${mask.id}`);
    this.name.placeholder = mask.id;
    this.remove.setAttribute("aria-label", `Remove ${nameOf(mask)}`);
    this.facts.textContent = `${mask.polygon.length} corners, ${number(100 * areaOf(mask.polygon))} % of the picture`;
    this.element.classList.toggle("is-chosen", this.editor.chosen === mask.id);
  }

  setError(text) {
    this.error.hidden = !text;
    this.error.textContent = text;
    this.name.setAttribute("aria-invalid", String(Boolean(text)));
  }
}

/** Who changed the masks, newest first. */
async function showEdits() {
  const container = document.getElementById("edits");
  try {
    const { items } = await get(`${url}/masks/edits?limit=${EDITS_MAX}`);
    const row = (edit) =>
      el("li", {}, el("strong", {}, sentence(changesBetween(edit.before, edit.after).join(", "))), el("span.muted", {}, `${whoOf(edit)}, ${dateAndTime(edit.at)}`));
    fill(
      container,
      el("h2", {}, "Changes"),
      items.length ? el("ol.mask-edits", {}, ...items.map(row)) : el("p.muted", {}, "Nobody has changed the masks of this camera."),
      items.length === EDITS_MAX && el("p.muted", {}, `The newest ${EDITS_MAX}.`),
    );
  } catch (error) {
    fill(container, el("h2", {}, "Changes"), el("p.notice.bad", {}, icon("high"), `They cannot be shown: ${error.message}.`));
  }
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

function whoOf({ by, signed_in_by: how }) {
  if (by === "vigil" && how === "start") return "Vigil, when it started";
  return `${by}, signed in by ${{ link: "one-time link", password: "password" }[how] ?? `the token ${how}`}`;
}

async function showCamera() {
  document.getElementById("back").prepend(icon("chevron"));
  const camera = await get(url);
  document.getElementById("camera").textContent = [camera.name || camera.id, camera.place].filter(Boolean).join(" \u00b7 ");
}

const topbar = mountTopbar("cameras");
listen({ onAlert: () => null, onState: topbar.setConnection, onOpen: () => null });
showEdits();
try {
  const [masks] = await Promise.all([get(`${url}/masks`), showCamera()]);
  const draft = new MaskDraft(() => {
    picture.update();
    list.update();
  });
  const picture = new Picture(document.getElementById("picture"), draft, () => draft.onChange());
  const list = new MaskList(document.getElementById("masks"), draft, picture);
  list.begin(masks);
  addEventListener("beforeunload", (event) => {
    if (draft.isChanged || picture.editor.drawing?.points.length) event.preventDefault();
  });
} catch (error) {
  document.getElementById("masks").remove();
  fill(document.getElementById("picture"), el("p.notice.bad", {}, icon("high"), `The masks of this camera cannot be shown: ${error.message}.`));
}
