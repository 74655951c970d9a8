// Pictures with vectors on a canvas: sharp at any density, in the colours of the page.

const FAMILY = 'Inter, -apple-system, "Segoe UI", Roboto, Ubuntu, "Noto Sans", "Liberation Sans", sans-serif';
const FONT = `600 11.5px ${FAMILY}`;
const COLOURS = {
  track: "#cfe6ee",
  alerting: "#ff8a5c",
  highlight: "#ffd166",
  dim: "rgba(207, 230, 238, 0.35)",
  zone: "rgba(124, 196, 212, 0.75)",
  zoneFill: "rgba(124, 196, 212, 0.07)",
  restricted: "rgba(240, 138, 79, 0.85)",
  restrictedFill: "rgba(240, 138, 79, 0.09)",
};

/** Fit a canvas to its box on the page at the screen's density; returns its size in CSS pixels. */
export function fitCanvas(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const density = Math.min(devicePixelRatio || 1, 2);
  const [wide, high] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  return { context, width, height };
}

/** Where a picture of this shape lies in a box, whole and centred. */
export function placeIn(pictureWidth, pictureHeight, width, height) {
  const scale = Math.min(width / pictureWidth, height / pictureHeight);
  const [w, h] = [pictureWidth * scale, pictureHeight * scale];
  return { x: (width - w) / 2, y: (height - h) / 2, w, h };
}

function outline(context, place, points, isClosed) {
  context.beginPath();
  points.forEach(([x, y], index) => {
    const at = [place.x + x * place.w, place.y + y * place.h];
    if (index === 0) context.moveTo(...at);
    else context.lineTo(...at);
  });
  if (isClosed) context.closePath();
}

/**
 * Draw zones and lines.
 * @param {Set<string>} [highlighted] - Ids that the claim is about; others are left out if given
 *   and not empty.
 */
export function drawScene(context, place, scene, highlighted = new Set()) {
  const isWanted = (id) => highlighted.size === 0 || highlighted.has(id);
  context.lineJoin = "round";
  for (const zone of scene.zones ?? []) {
    if (!isWanted(zone.id)) continue;
    const isLit = highlighted.has(zone.id);
    const [stroke, fill] = zone.restricted
      ? [COLOURS.restricted, COLOURS.restrictedFill]
      : [COLOURS.zone, COLOURS.zoneFill];
    outline(context, place, zone.polygon, true);
    context.fillStyle = fill;
    context.fill();
    context.strokeStyle = isLit ? COLOURS.highlight : stroke;
    context.lineWidth = isLit ? 2.5 : 1.25;
    context.setLineDash(isLit ? [] : [6, 4]);
    context.stroke();
    context.setLineDash([]);
    const [x, y] = bottomLeftOf(zone.polygon);
    const at = [place.x + x * place.w, place.y + y * place.h + 4];
    tag(context, place, at[0], at[1], zone.name || zone.id, isLit ? COLOURS.highlight : stroke, "quiet");
  }
  for (const line of scene.lines ?? []) {
    if (!isWanted(line.id)) continue;
    outline(context, place, line.points, false);
    context.strokeStyle = highlighted.has(line.id) ? COLOURS.highlight : COLOURS.zone;
    context.lineWidth = highlighted.has(line.id) ? 3 : 2;
    context.stroke();
    const [x, y] = line.points[0];
    const at = [place.x + x * place.w + 6, place.y + y * place.h + 6];
    tag(context, place, at[0], at[1], line.name || line.id, COLOURS.zone, "quiet");
  }
}

/** Say in each privacy mask, which is flat grey in the picture itself, what it is. */
export function drawMasks(context, place, masks) {
  for (const { polygon } of masks) {
    const [x, y] = polygon.reduce((best, point) => (point[1] + point[0] < best[1] + best[0] ? point : best));
    tag(context, place, place.x + x * place.w + 6, place.y + y * place.h + 6, "Privacy mask", COLOURS.track, "quiet");
  }
}

/** Where a zone's name stands: below it, so that it covers nobody inside. */
function bottomLeftOf(polygon) {
  return polygon.reduce((best, point) => (point[1] - point[0] > best[1] - best[0] ? point : best));
}

/**
 * Draw boxes of tracks.
 * @param {{box: number[], text: string, tone: "track"|"alerting"|"highlight"|"dim"}[]} boxes
 */
export function drawBoxes(context, place, boxes) {
  for (const { box, text, tone } of boxes) {
    const [x1, y1, x2, y2] = box;
    const x = Math.round(place.x + x1 * place.w) + 0.5;
    const y = Math.round(place.y + y1 * place.h) + 0.5;
    const w = Math.max(4, Math.round((x2 - x1) * place.w));
    const h = Math.max(4, Math.round((y2 - y1) * place.h));
    context.lineWidth = tone === "highlight" ? 3.5 : 2.5;
    context.strokeStyle = "rgba(4, 8, 12, 0.55)";
    context.strokeRect(x, y, w, h);
    context.lineWidth = tone === "highlight" ? 2.25 : 1.5;
    context.strokeStyle = COLOURS[tone];
    context.strokeRect(x, y, w, h);
    if (text && tone !== "dim") tag(context, place, x - 0.5, y - 18, text, COLOURS[tone], "loud");
  }
}

/** A small plain label in the picture's lower left corner. */
export function drawCorner(context, place, text, colour) {
  tag(context, place, place.x + 8, place.y + place.h - 25, text, colour, "quiet");
}

/** A small label; kept inside the picture. */
function tag(context, place, x, y, text, colour, kind) {
  context.font = FONT;
  const width = context.measureText(text).width + 10;
  const left = Math.min(Math.max(x, place.x), place.x + place.w - width);
  const top = Math.min(Math.max(y, place.y), place.y + place.h - 17);
  context.fillStyle = kind === "loud" ? colour : "rgba(7, 10, 14, 0.72)";
  context.beginPath();
  context.roundRect(left, top, width, 17, 3);
  context.fill();
  context.fillStyle = kind === "loud" ? "#0a0d11" : colour;
  context.textBaseline = "middle";
  context.fillText(text, left + 5, top + 9);
}
