// Shows beside a form how the page will look with what is typed: asks the server a moment after the last key, and takes the
// picture from the page that it answers with. Without this script a button does the same.

const PAUSE = 700; // ms after the last key
const form = document.querySelector("form[data-look]");
let timer;
let asked;

async function look() {
  asked?.abort();
  asked = new AbortController();
  const body = new FormData(form);
  body.set("act", "look");
  const region = document.querySelector("[data-picture]");
  region.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body, signal: asked.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-picture]");
    if (!fresh) return; // what the server says then is no page of ours: the picture stays as it was
    // What cannot be read yet keeps the last picture, below why.
    const kept = fresh.querySelector(".sheet") ? [] : [...region.querySelectorAll(".sheet")];
    if (kept.length) fresh.querySelector(".detail")?.remove();
    region.replaceChildren(...document.adoptNode(fresh).childNodes, ...kept);
  } catch {
    // No connection: the last picture stays.
  } finally {
    region.removeAttribute("aria-busy");
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
});
look();
