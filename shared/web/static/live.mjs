// Keeps a page's live part as it is on the server, without a reload: asks every few seconds while the page is looked at,
// and exchanges the part when the server has another. Without this script the page says since when it shows.

const EVERY = 4_000; // ms
const AT_MOST = 60_000; // between tries while the server does not answer

const said = document.querySelector("[data-live-version]");
let version = said.dataset.liveVersion;
let pause = EVERY;
let timer;

function later() {
  clearTimeout(timer);
  timer = setTimeout(look, pause);
}

async function look() {
  if (document.hidden) return; // `visibilitychange` begins again
  try {
    const answer = await fetch(location.pathname, { headers: { "If-None-Match": `"${version}"` }, cache: "no-store" });
    if (answer.status === 401) return location.reload(); // says how to log in
    if (answer.ok) exchange(new DOMParser().parseFromString(await answer.text(), "text/html"));
    pause = answer.ok || answer.status === 304 ? EVERY : Math.min(pause * 2, AT_MOST);
  } catch {
    pause = Math.min(pause * 2, AT_MOST);
  }
  later();
}

function exchange(fresh) {
  const region = document.querySelector("[data-live]");
  const newer = fresh.querySelector("[data-live]");
  const told = fresh.querySelector("[data-live-version]");
  // What someone types is not taken from under their hands.
  if (!newer || !told || region.contains(document.activeElement?.closest("input, textarea, select"))) return;
  const focused = placeOf(document.activeElement, region);
  const opened = [...region.querySelectorAll("details")].map((one) => one.open);
  region.replaceChildren(...document.adoptNode(newer).childNodes);
  region.querySelectorAll("details").forEach((one, n) => { one.open = opened[n] ?? false; });
  if (focused) region.querySelector(focused)?.focus({ preventScroll: true });
  version = told.dataset.liveVersion;
  said.textContent = told.dataset.updated; // a status: read out
}

// Which link or button had the focus, as a selector that finds it in the new part.
function placeOf(element, region) {
  if (!element || !region.contains(element)) return "";
  if (element.matches("a[href]")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
  const action = element.closest("form")?.getAttribute("action");
  return action ? `form[action="${CSS.escape(action)}"] ${element.localName}` : "";
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
said.textContent = said.dataset.follows;
later();
