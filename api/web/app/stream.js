// The live stream: one connection, its state, and who wants to know.

import { goToSignIn } from "/app/api.js";

const KINDS = [
  "vigil.alert.opened.v1",
  "vigil.alert.revised.v1",
  "vigil.alert.acknowledged.v1",
  "vigil.alert.resolved.v1",
];

/** The server is heard every 15 s; after twice that the connection is dead, whatever it says. */
const SILENCE_MAX_MS = 30_000;
const LOOK_EVERY_MS = 2_000;

/**
 * Listen to alerts.
 * @param {object} wishes
 * @param {(alert: object, kind: string) => void} wishes.onAlert - With the alert's newest data.
 * @param {(state: "live"|"reconnecting") => void} wishes.onState
 * @param {() => void} wishes.onOpen - At each (re)connection: load what is there already.
 */
export function listen({ onAlert, onState, onOpen }) {
  let source;
  let heardAt = performance.now();
  const hear = () => {
    heardAt = performance.now();
  };
  const connect = () => {
    source?.close();
    hear();
    source = new EventSource("/api/v1/stream");
    const own = source;
    source.addEventListener("open", () => {
      hear();
      onState("live");
      onOpen();
    });
    source.addEventListener("error", async () => {
      onState("reconnecting");
      if (own !== source || source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      const answer = await fetch("/api/v1/me").catch(() => null);
      if (answer?.status === 401) goToSignIn();
      else setTimeout(() => own === source && connect(), 3000);
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        hear();
        onAlert(JSON.parse(event.data).data, kind);
      });
    }
    source.addEventListener("vigil.stream.heartbeat", hear);
    source.addEventListener("vigil.stream.reset", onOpen);
  };
  connect();
  setInterval(() => {
    if (performance.now() - heardAt < SILENCE_MAX_MS) return;
    onState("reconnecting");
    connect();
  }, LOOK_EVERY_MS);
  addEventListener("offline", () => onState("reconnecting"));
  addEventListener("online", connect);
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && connect());
}
