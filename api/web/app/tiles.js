// Live tiles: the newest picture of each camera with boxes and zones drawn over it.

import { get } from "/app/api.js";
import { el, fill, icon } from "/app/dom.js";
import { drawBoxes, drawCorner, drawMasks, drawScene, fitCanvas, placeIn } from "/app/drawing.js";
import { serverNow, timeOfDay } from "/app/format.js";
import { NewestPicture } from "/app/newest.js";

const PICTURE_EVERY_MS = 200;
const RETRY_MS = 2000;
const LIST_EVERY_MS = 3000;
const SCENE_EVERY = 10; // listings
const OLD_AFTER_S = 3;
const STATES = { seeing: "Seeing", degraded: "Degraded", blind: "Blind" };

/** Keep a container filled with one tile for each camera. */
export function mountTiles(container, summary) {
  const tiles = new Map();
  const refresh = async () => {
    try {
      const { items } = await get("/api/v1/cameras?limit=200");
      show(container, tiles, items);
      summary.textContent = summaryOf(items);
    } catch (error) {
      if (tiles.size === 0) fill(container, failure(error));
    }
    setTimeout(refresh, LIST_EVERY_MS);
  };
  refresh();
}

function summaryOf(cameras) {
  const seeing = cameras.filter((camera) => camera.status.state === "seeing").length;
  return cameras.length ? `${seeing} of ${cameras.length} seeing` : "";
}

function show(container, tiles, cameras) {
  const wanted = new Set(cameras.map((camera) => camera.id));
  for (const [id, tile] of tiles) {
    if (wanted.has(id)) continue;
    tile.stop();
    tiles.delete(id);
  }
  if (cameras.length === 0) {
    fill(container, emptyState());
    return;
  }
  container.querySelectorAll(":scope > :not(.tile)").forEach((other) => other.remove());
  for (const camera of cameras) {
    if (!tiles.has(camera.id)) {
      const tile = new Tile(camera.id);
      tiles.set(camera.id, tile);
      container.append(tile.element);
    }
    tiles.get(camera.id).update(camera);
  }
  container.dataset.count = String(Math.min(cameras.length, 4));
}

function emptyState() {
  return el(
    "div.empty",
    {},
    icon("camera"),
    el("h3", {}, "No cameras yet"),
    el("p", {}, "Add one with its RTSP address, or try synthetic:yard, a scripted scene."),
    el("a.button.primary", { href: "/cameras#add" }, icon("plus"), "Add a camera"),
  );
}

function failure(error) {
  return el("div.notice.bad", {}, icon("high"), el("p", {}, `Cameras cannot be shown: ${error.message}. Trying again.`));
}

class Tile {
  constructor(cameraId) {
    this.cameraId = cameraId;
    this.newest = new NewestPicture(cameraId);
    this.scene = {};
    this.masks = [];
    this.sceneAge = SCENE_EVERY;
    this.isVisible = false;
    this.isStopped = false;
    this.version = 0;
    this.canvas = el("canvas", { attrs: { role: "img" } });
    this.name = el("h3");
    this.place = el("span.muted");
    this.badge = el("span.pill.badge");
    this.facts = el("span.tile-facts");
    this.veil = el("div.veil", { hidden: true });
    this.element = el(
      "article.tile",
      { attrs: { "aria-label": cameraId } },
      el("div.tile-picture", {}, this.canvas, this.veil),
      el("footer.tile-foot", {}, el("div.tile-name", {}, this.name, this.place), el("div.tile-end", {}, this.facts, this.badge)),
    );
    this.watcher = new IntersectionObserver(([entry]) => {
      this.isVisible = entry.isIntersecting;
    });
    this.watcher.observe(this.element);
    this.resizer = new ResizeObserver(() => this.draw());
    this.resizer.observe(this.canvas);
    this.loop();
  }

  stop() {
    this.isStopped = true;
    this.watcher.disconnect();
    this.resizer.disconnect();
    this.element.remove();
  }

  update(camera) {
    const { status } = camera;
    this.status = status;
    this.name.textContent = camera.name || camera.id;
    this.place.textContent = camera.place;
    this.canvas.setAttribute("aria-label", `Live picture of ${camera.name || camera.id}`);
    this.badge.dataset.state = status.state;
    const covered = status.coverage === null ? "" : `${(100 * status.coverage).toFixed(1)} % of the last hour was watched`;
    this.badge.title = [status.cause, covered].filter(Boolean).join("; ");
    fill(this.badge, el("span.dot"), STATES[status.state] ?? status.state);
    fill(this.facts, status.state === "blind" ? "" : `${status.fps.toFixed(1)} fps`);
    this.showVeil(status);
    if (this.version !== camera.version || ++this.sceneAge >= SCENE_EVERY) {
      this.version = camera.version;
      this.sceneAge = 0;
      const url = `/api/v1/cameras/${this.cameraId}`;
      Promise.all([get(`${url}/scene`), camera.masks.length ? get(`${url}/masks`) : { masks: [] }]).then(
        ([scene, { masks }]) => {
          this.scene = scene;
          this.masks = masks;
          this.draw();
        },
        () => null,
      );
    }
  }

  showVeil(status) {
    const isBlind = status.state === "blind";
    this.element.dataset.state = status.state;
    this.veil.hidden = !isBlind && status.state !== "degraded";
    this.veil.dataset.kind = status.state;
    if (!this.veil.hidden) {
      const isOff = status.phase === "disabled";
      const heading = isBlind ? (isOff ? "Switched off" : "No picture") : "Degraded";
      const cause = isOff ? "Switch it on again on the page Cameras." : status.cause;
      fill(this.veil, isBlind && icon("blind"), el("strong", {}, heading), el("span", {}, cause));
    }
  }

  async loop() {
    while (!this.isStopped) {
      const begun = performance.now();
      let waitMs = PICTURE_EVERY_MS;
      if (this.isVisible && document.visibilityState === "visible") {
        const found = await this.newest.load().catch(() => "none");
        if (found === "newer") this.draw();
        waitMs = found === "none" ? RETRY_MS : PICTURE_EVERY_MS;
      }
      const restMs = Math.max(20, waitMs - (performance.now() - begun));
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }

  draw() {
    const { context, width, height } = fitCanvas(this.canvas);
    context.clearRect(0, 0, width, height);
    const picture = this.newest.bitmap;
    if (!picture || !width) return;
    const place = placeIn(picture.width, picture.height, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, place.x, place.y, place.w, place.h);
    if (this.status?.state === "blind") return;
    drawMasks(context, place, this.masks);
    drawScene(context, place, this.scene);
    drawBoxes(
      context,
      place,
      this.newest.boxes.map((box) => ({
        box: box.box,
        text: `${box.label} ${box.track_id}`,
        tone: box.alerting ? "alerting" : "track",
      })),
    );
    this.drawTime(context, place);
  }

  drawTime(context, place) {
    const { capturedAt } = this.newest;
    const ageS = (serverNow() - Date.parse(capturedAt)) / 1000;
    const text = ageS > OLD_AFTER_S ? `${Math.round(ageS)} s old` : timeOfDay(capturedAt);
    drawCorner(context, place, text, ageS > OLD_AFTER_S ? "#e0b657" : "#c6d0da");
  }
}
