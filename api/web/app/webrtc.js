// WHIP and WHEP (RFC 9725 and its draft sister): one offer, one answer, one session to end.

import { ApiError, goToSignIn } from "/app/api.js";

const GATHER_MS = 1500;
const SDP = "application/sdp";

/**
 * Offer a prepared connection to an endpoint and take its answer.
 * @param {RTCPeerConnection} connection - With its transceivers.
 * @param {string} path - Of the WHIP or WHEP endpoint.
 * @returns {Promise<string>} The session's address, for `endSession`.
 * @throws {ApiError} It was refused, or Vigil cannot be reached.
 */
export async function negotiate(connection, path) {
  await connection.setLocalDescription(await connection.createOffer());
  await gathered(connection);
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers: { "Content-Type": SDP }, body: connection.localDescription.sdp });
  } catch {
    throw new ApiError({ status: 0, code: "unreachable", detail: "Vigil cannot be reached" });
  }
  if (answer.status === 401) goToSignIn();
  if (!answer.ok) throw new ApiError(await answer.json().catch(() => ({ status: answer.status, code: "unknown", detail: `Vigil answered ${answer.status}` })));
  const session = answer.headers.get("Location");
  await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  return session;
}

/** End a session, also while the page goes away. */
export function endSession(session) {
  if (session) fetch(session, { method: "DELETE", keepalive: true }).catch(() => null);
}

/** Wait until all candidates are in the offer: nothing is sent later (no trickle). */
function gathered(connection) {
  if (connection.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, GATHER_MS);
    connection.addEventListener("icegatheringstatechange", () => {
      if (connection.iceGatheringState === "complete") resolve();
    });
  });
}
