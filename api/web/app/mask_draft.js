// The privacy masks of one camera while somebody edits them: as they are stored, as they are here.

export const MASKS_MAX = 32;
export const CORNERS_MAX = 64;
const STEPS_MAX = 200;

/** A draft; lists of masks are never changed in place, so that a step back is the list before. */
export class MaskDraft {
  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.stored = [];
    this.masks = [];
    this.past = [];
    this.burst = null;
  }

  /** Show what the API has; what stood here before is a step back. */
  load(masks) {
    this.stored = masks;
    this.replace(masks);
  }

  /** These are stored now, whatever has been changed since they were sent. */
  saved(masks) {
    this.stored = masks;
    this.burst = null;
  }

  get isChanged() {
    return !isSame(this.stored, this.masks);
  }

  /**
   * Replace the masks.
   * @param {object[]} masks
   * @param {string|null} burst - Changes in a row of one name are one step back: a drag, a word.
   */
  replace(masks, burst = null) {
    if (isSame(masks, this.masks)) return;
    if (burst === null || burst !== this.burst) this.past = [...this.past, this.masks].slice(-STEPS_MAX);
    this.burst = burst;
    this.masks = masks;
    this.onChange();
  }

  /** What comes next is a step of its own, whatever it is called. */
  endBurst() {
    this.burst = null;
  }

  undo() {
    if (this.past.length === 0) return;
    this.masks = this.past.at(-1);
    this.past = this.past.slice(0, -1);
    this.burst = null;
    this.onChange();
  }

  revert() {
    this.replace(this.stored);
  }

  /** Start over: nothing to go back to. */
  forget() {
    this.past = [];
    this.burst = null;
  }

  of(id) {
    return this.masks.find((mask) => mask.id === id) ?? null;
  }

  /** Add a mask and return its id. */
  add(polygon) {
    const taken = new Set([...this.masks, ...this.stored].map((mask) => mask.id));
    let number = this.masks.length + 1;
    while (taken.has(`mask-${number}`)) number += 1;
    this.replace([...this.masks, { id: `mask-${number}`, name: `Mask ${number}`, polygon }]);
    return `mask-${number}`;
  }

  remove(id) {
    this.replace(this.masks.filter((mask) => mask.id !== id));
  }

  rename(id, name) {
    this.change(id, (mask) => ({ ...mask, name }), `name ${id}`);
  }

  reshape(id, polygon, burst = null) {
    this.change(id, (mask) => ({ ...mask, polygon }), burst);
  }

  change(id, changed, burst) {
    this.replace(
      this.masks.map((mask) => (mask.id === id ? changed(mask) : mask)),
      burst,
    );
  }
}

/** What lists of masks differ in, in words: "drew Window", "removed Street". */
export function changesBetween(before, after) {
  const old = new Map(before.map((mask) => [mask.id, mask]));
  const kept = new Set(after.map((mask) => mask.id));
  const said = before.filter((mask) => !kept.has(mask.id)).map((mask) => `removed ${nameOf(mask)}`);
  for (const mask of after) {
    const was = old.get(mask.id);
    if (!was) said.push(`drew ${nameOf(mask)}`);
    else {
      if (!isSame(was.polygon, mask.polygon)) said.push(`changed the shape of ${nameOf(mask)}`);
      if (was.name !== mask.name) said.push(`renamed ${nameOf(was)} to ${nameOf(mask)}`);
    }
  }
  return said;
}

/** Masks that are there no more, or cover something else than before. */
export function uncovering(before, after) {
  const now = new Map(after.map((mask) => [mask.id, mask]));
  return before.filter((mask) => !isSame(mask.polygon, now.get(mask.id)?.polygon));
}

export const nameOf = (mask) => mask.name || mask.id;

/** Share of the picture inside a polygon, 0 to 1 (shoelace). */
export function areaOf(polygon) {
  const twice = polygon.reduce((sum, [x, y], index) => {
    const [nextX, nextY] = polygon[(index + 1) % polygon.length];
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(twice) / 2;
}

export function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
