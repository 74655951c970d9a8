// Calls the API and turns its problems (RFC 9457) into errors with words for people.

export class ApiError extends Error {
  /** @param {{status: number, code: string, detail: string, errors?: {field: string, message: string}[]}} problem */
  constructor(problem) {
    super(problem.detail);
    this.status = problem.status;
    this.code = problem.code;
    this.errors = problem.errors ?? [];
    this.correlationId = problem.correlation_id ?? "";
  }
}

/** Go and sign in, and come back here. */
export function goToSignIn() {
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
}

async function problemOf(answer) {
  const fallback = { status: answer.status, code: "unknown", detail: `Vigil answered ${answer.status}` };
  const isProblem = answer.headers.get("Content-Type")?.startsWith("application/problem+json");
  return isProblem ? answer.json().catch(() => fallback) : fallback;
}

/**
 * Send a request; return the decoded JSON, or null for an answer without content.
 * @throws {ApiError} The API refused, or could not be reached (status 0).
 */
export async function call(method, path, body) {
  const options = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new ApiError({ status: 0, code: "unreachable", detail: "Vigil cannot be reached" });
  }
  if (answer.status === 401) {
    goToSignIn();
    throw new ApiError({ status: 401, code: "sign-in-needed", detail: "sign in" });
  }
  if (!answer.ok) throw new ApiError(await problemOf(answer));
  return answer.status === 204 ? null : answer.json();
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const put = (path, body) => call("PUT", path, body);
export const remove = (path) => call("DELETE", path);
