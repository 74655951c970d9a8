// The newest analysed picture of a camera, fetched again only where there is a newer one.

/** Holds one picture at a time; `load` takes the next. */
export class NewestPicture {
  constructor(cameraId) {
    this.url = `/api/v1/cameras/${cameraId}/latest.jpg`;
    this.etag = "";
    this.bitmap = null;
    this.boxes = [];
    this.capturedAt = "";
  }

  /**
   * Fetch it.
   * @returns {Promise<"newer"|"same"|"none">} "none" keeps what came before.
   */
  async load() {
    const answer = await fetch(this.url, {
      cache: "no-store",
      headers: this.etag ? { "If-None-Match": this.etag } : {},
    });
    if (answer.status === 304) return "same";
    if (!answer.ok) return "none";
    this.etag = answer.headers.get("ETag") ?? "";
    this.boxes = JSON.parse(answer.headers.get("X-Vigil-Boxes") ?? "[]");
    this.capturedAt = answer.headers.get("X-Vigil-Captured-At");
    const bitmap = await createImageBitmap(await answer.blob());
    this.bitmap?.close();
    this.bitmap = bitmap;
    return "newer";
  }
}
