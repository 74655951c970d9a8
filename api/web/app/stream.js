// The live stream: one connection, its state, and who wants to know.

import { goToSignIn } from "/app/api.js";

const KINDS = [
  "vigil.alert.opened.v1",
  "vigil.alert.revised.v1",
  "vigil.alert.acknowledged.v1",
  "vigil.alert.resolved.v1",
];

/**
 * Listen to alerts.
 * @param {object} wishes
 * @param {(alert: object, kind: string) => void} wishes.onAlert - With the alert's newest data.
 * @param {(state: "live"|"reconnecting") => void} wishes.onState
 * @param {() => void} wishes.onOpen - At each (re)connection: load what is there already.
 */
export function listen({ onAlert, onState, onOpen }) {
  let source;
  const connect = () => {
    source = new EventSource("/api/v1/stream");
    source.addEventListener("open", () => {
      onState("live");
      onOpen();
    });
    source.addEventListener("error", async () => {
      onState("reconnecting");
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      const answer = await fetch("/api/v1/me").catch(() => null);
      if (answer?.status === 401) goToSignIn();
      else setTimeout(connect, 3000);
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => onAlert(JSON.parse(event.data).data, kind));
    }
    source.addEventListener("vigil.stream.reset", onOpen);
  };
  connect();
  addEventListener("offline", () => onState("reconnecting"));
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && connect());
}
