// Signs in by a one-time link (its secret stands in the fragment, which no server sees) or by
// name and password.

const form = document.getElementById("form");
const message = document.getElementById("message");

function say(text, kind) {
  message.textContent = text;
  message.className = `notice ${kind}`;
  message.hidden = false;
}

/** The page to go to afterwards; only a path of this server is taken. */
function nextPage() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "/";
  const url = new URL(wanted, location.origin);
  return url.origin === location.origin && wanted.startsWith("/") ? url.pathname : "/";
}

async function signIn(body) {
  let answer;
  try {
    answer = await fetch("/api/v1/sign-in", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    say("Vigil cannot be reached. Is it running?", "bad");
    return;
  }
  if (answer.ok) {
    location.replace(nextPage());
    return;
  }
  const problem = await answer.json().catch(() => ({ detail: `it answered ${answer.status}` }));
  const text = problem.detail;
  say(text.charAt(0).toUpperCase() + text.slice(1) + ".", "bad");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  await signIn({ name: form.elements.name.value, password: form.elements.password.value });
  button.disabled = false;
  form.elements.password.select();
});

async function takeLink() {
  const link = new URLSearchParams(location.hash.slice(1)).get("link");
  if (!link) return false;
  // Out of the address bar and the history before anything else.
  history.replaceState(null, "", location.pathname + location.search);
  form.hidden = true;
  say("Signing in by link ...", "");
  await signIn({ link });
  form.hidden = false;
  return true;
}

// A link that is pasted while this page is open changes the fragment only: nothing is loaded.
addEventListener("hashchange", takeLink);
if (!(await takeLink())) form.elements.password.focus();
