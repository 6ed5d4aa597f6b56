// The secretary's page while a body sits: shortcuts, typed text kept in this browser until it is recorded, and forms that
// are sent again until the server has answered. Each form bears a key: sent twice, it is recorded once.

// Named and dated as `drafts.mjs` does, which takes them away after two weeks; `logout.mjs` does with the logout.
const PREFIX = `justera-draft:${location.pathname}:`;
let busy = false;

// What was typed and not recorded; where someone else's text stands meanwhile, below that.
for (const area of document.querySelectorAll("[data-keep]")) {
  const kept = JSON.parse(localStorage.getItem(PREFIX + area.dataset.keep) ?? "null");
  if (!kept || area.value !== area.defaultValue) continue;
  const other = area.defaultValue !== kept.base && area.defaultValue !== "";
  area.value = other ? `${area.defaultValue}\n\n${kept.text}` : kept.text;
}

document.addEventListener("input", ({ target }) => {
  if (!target.dataset.keep) return;
  localStorage.setItem(PREFIX + target.dataset.keep, JSON.stringify({
    at: Date.now(), values: [], base: target.defaultValue, text: target.value,
  }));
});

document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || !/^Key[A-Z]$/.test(event.code)) return;
  const wanted = document.querySelector(`[data-shortcut="${event.code.slice(3)}"]`);
  if (!wanted) return;
  event.preventDefault();
  wanted.focus();
  if (wanted.matches("button")) wanted.click();
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-say]");
  if (!form) return;
  event.preventDefault();
  if (!busy) send(form.action, new URLSearchParams(new FormData(form)), keptIn(form), 1_000);
});

function keptIn(form) {
  return [...form.querySelectorAll("[data-keep]")].map((one) => PREFIX + one.dataset.keep);
}

async function send(action, body, kept, pause) {
  busy = true;
  say("sending");
  try {
    const answer = await fetch(action, { method: "POST", body });
    if (answer.status >= 500) throw new Error("not answered");
    if (answer.redirected) {
      for (const name of kept) localStorage.removeItem(name);
      return location.assign(answer.url);
    }
    if (answer.status === 401) return location.reload(); // says how to log in; what was typed is kept
    refused(new DOMParser().parseFromString(await answer.text(), "text/html"));
    busy = false;
  } catch {
    say("waits");
    setTimeout(() => send(action, body, kept, Math.min(pause * 2, 15_000)), pause);
  }
}

// The page that says why, with what was typed in all its forms.
function refused(page) {
  const typed = [...document.querySelectorAll("[data-keep]")].map((one) => [one.id, one.value]);
  document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
  for (const [id, value] of typed) {
    const area = document.getElementById(id);
    if (area) area.value = value;
  }
  const said = document.querySelector("[role=alert]");
  said?.closest(".notice")?.scrollIntoView();
}

function say(what) {
  const status = document.querySelector("[data-sending]");
  if (!status) return;
  status.textContent = status.dataset[what];
  status.hidden = false;
}
