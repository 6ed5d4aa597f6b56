// The secretary's page while a body sits: shortcuts, typed text kept in this browser until it is recorded, and steps that
// wait in line until the server has answered, with when they were pressed. Each bears a key: sent twice, it is recorded once.
// While nothing arrives, the page goes ahead: it opens the sitting, and has the forms of the item that was taken up.

// Named and dated as `drafts.mjs` does, which takes them away after two weeks; `logout.mjs` does with the logout.
const PREFIX = `justera-draft:${location.pathname}:`;
const LINE = `${PREFIX}line:`; // each step under a key of its own: another window on this sitting has steps of its own
const HERE = "justera-here";
const PATIENCE = 20_000; // ms until a server that does not answer is asked again
const versionOf = (page) => page.querySelector("form[data-say] [name=version]")?.value;
const isChoice = (field) => field.matches("[type=checkbox], [type=radio]");
const keyOf = (fields) => fields.find(([name]) => name === "key")[1];
const without = (fields) => JSON.stringify(fields.filter(([name]) => name !== "key"));
// Of a form: what it does, and to whom. Who leaves may come again.
const placeOf = (form) => ["do", "person"].map((name) => (form.querySelector(`[type=hidden][name=${name}]`)?.value ?? "").replace("arrived", "departed"));

let seen = versionOf(document); // how many steps there were when the page that is looked at was made
let line = { version: seen, steps: waiting() };
if (line.steps.length) line.version = line.steps[0].version ?? seen;
let [sending, lost] = [false, false];
let there; // while the page goes ahead of an opening that waits: who was ticked

document.querySelectorAll("[data-keep]").forEach(bringBack);

// What was typed and not recorded; where someone else's text stands meanwhile, below that.
function bringBack(area) {
  const kept = read(PREFIX + area.dataset.keep);
  if (!kept || area.value !== area.defaultValue) return;
  const other = plain(area.defaultValue) !== plain(kept.base) && area.defaultValue !== "";
  area.value = other ? `${area.defaultValue}\n\n${kept.text}` : kept.text;
}

document.addEventListener("input", ({ target }) => {
  if (target.dataset.keep) keep(target.dataset.keep, target.defaultValue, target.value);
});

document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || !/^Key[A-Z]$/.test(event.code)) return;
  const wanted = document.querySelector(`[data-shortcut="${event.code.slice(3)}"]`);
  if (!wanted) return;
  event.preventDefault();
  if (event.repeat) return; // held down
  wanted.focus();
  if (wanted.matches("button")) wanted.click();
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-say]");
  if (!form) return;
  event.preventDefault();
  const fields = [...new FormData(form)].filter(([name]) => name !== "csrf" && name !== "version");
  const same = line.steps.filter((one) => keyOf(one.fields).startsWith(keyOf(fields)));
  const [what] = placeOf(form);
  const others = line.steps.findLastIndex((one) => one.place[0] !== what); // after them, the same is something new
  if (line.steps.slice(others + 1).some((one) => without(one.fields) === without(fields))) return; // pressed twice
  if (same.length) fields.find(([name]) => name === "key")[1] += `/${same.length}`; // one form, filled in twice
  if (!line.steps.length) line.version = seen;
  const kept = [...form.querySelectorAll("[data-keep]")].map((one) => [one.dataset.keep, one.value]);
  line.steps.push({ action: form.action, fields, kept, at: Date.now(), label: labelOf(form, event.submitter), place: placeOf(form), opens: "opens" in form.dataset });
  store(line.steps.at(-1));
  if (!sending) return send(1_000);
  say(lost ? "waits" : "sending");
  if (lost) goAhead();
});

goOn();
if (line.steps.length) send(1_000);

// The first in line. The session's token is the page's: it is not kept in the browser.
async function send(pause) {
  sending = true;
  const [step] = line.steps;
  const body = new URLSearchParams(step.fields);
  body.set("csrf", document.querySelector("form[data-say] [name=csrf]")?.value ?? "");
  body.set("version", line.version ?? "");
  body.set("ago", Math.max(0, Math.round((Date.now() - step.at) / 1000)));
  if (!lost) say("sending");
  try {
    const answer = await fetch(step.action, { method: "POST", body, signal: AbortSignal.timeout(PATIENCE) });
    if (answer.status >= 500 || answer.status === 429) throw new Error("not answered");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.querySelector("main#main")) throw new Error("somebody between us and the server answered");
    // Says how to log in, or has the form of a later login; what was typed and pressed is kept, and goes on from there.
    if (answer.status === 401 || (answer.status === 403 && document.querySelector("form[data-say]"))) {
      if (step.reloaded || !marked(step)) throw new Error("a new page made no difference, or would lose the step");
      return location.reload();
    }
    lost = false;
    line.steps.shift();
    forget(step);
    if (!answer.redirected) return refused(page);
    step.kept.forEach(([name, text]) => recorded(name, text));
    line.version = seen = versionOf(page) ?? line.version;
    if (line.steps.length) {
      store(line.steps[0]);
      return send(1_000);
    }
    comeBackTo(step.place);
    location.assign(answer.url); // what is pressed until the page is there waits in line for it
  } catch {
    lost = true;
    say("waits");
    goAhead();
    await Promise.race([
      new Promise((again) => setTimeout(again, pause)),
      new Promise((again) => addEventListener("online", again, { once: true })),
    ]);
    return send(Math.min(pause * 2, 15_000));
  }
}

// The page that says why, with what was typed in all its forms. What was pressed behind it rests on what was not recorded.
function refused(page) {
  const behind = line.steps.map((one) => one.label);
  line.steps.forEach(forget);
  line = { version: undefined, steps: [] };
  there = undefined;
  const typed = [...document.querySelectorAll("[data-keep]")].map((one) => [one.id, one.value]);
  document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
  for (const [id, value] of typed) {
    const area = document.getElementById(id);
    if (area) area.value = value;
  }
  seen = versionOf(document);
  sending = false;
  const said = document.querySelector("[role=alert]");
  if (behind.length) said?.append(paragraph(`${document.querySelector("[data-sending]")?.dataset.behind ?? ""} ${behind.join("; ")}`));
  said?.focus();
  said?.closest(".notice")?.scrollIntoView();
}

// What the steps that wait will make of the page, as far as the next ones need it. What the server makes of them comes with its
// page: it may refuse them.
function goAhead() {
  for (const step of line.steps.filter((one) => !one.ahead)) {
    step.ahead = true;
    const said = Object.fromEntries(step.fields);
    if (step.opens) open(step.fields.filter(([name]) => name === "present").map(([, person]) => person));
    else if (said.do === "item_begun") takeUp(said.item);
    else if (said.do === "item_ended" || said.do === "closed") takeUp("");
    else if (said.do === "decided") decided(said.text);
  }
}

function templateOf(name) {
  return document.querySelector(`template[data-ahead="${name}"]`)?.content.firstElementChild?.cloneNode(true);
}

function open(present) {
  const agenda = templateOf("opened");
  if (!agenda) return;
  there = present;
  document.querySelector("form[data-opens]").replaceWith(agenda);
  head(agenda.dataset.between);
}

// The item's forms in place of those of the one before; none for no item.
function takeUp(item) {
  const agenda = document.querySelector("[data-between]");
  if (!agenda || !document.querySelector("template[data-ahead=item]")) return;
  const rows = [...agenda.querySelectorAll("[data-item]")];
  const row = rows.find((one) => one.dataset.item === item);
  document.querySelector("section[aria-labelledby=item]")?.remove();
  if (row) agenda.before(formsOf(item, rows.indexOf(row)));
  for (const one of rows) {
    one.querySelector("[data-up]")?.remove();
    one.querySelector("form")?.toggleAttribute("hidden", one === row);
  }
  row?.querySelector(".row-side").prepend(templateOf("up"));
  const next = rows.slice(rows.indexOf(row) + 1).find((one) => one !== row && one.querySelector("form"));
  if (row) moveShortcut("N", next?.querySelector("button"));
  head(row?.dataset.title ?? agenda.dataset.between);
}

function formsOf(item, n) {
  const section = templateOf("item");
  for (const area of section.querySelectorAll("[data-keep]")) {
    area.dataset.keep += item;
    bringBack(area);
  }
  // A key of its own for each item; short, for the server cuts it.
  section.querySelectorAll("[name=key]").forEach((one) => { one.value += `a${n}`; });
  if (document.querySelector("[data-shortcut=E]")) section.querySelector("[data-shortcut=E]").closest("form").remove();
  for (const one of section.querySelectorAll("option")) {
    if (there && one.value && !there.includes(one.value)) one.remove();
  }
  return section;
}

function decided(text) {
  const form = document.querySelector("section[aria-labelledby=item] #decision")?.closest("form");
  if (!form) return;
  const said = document.createElement("div");
  said.className = "notice info";
  said.tabIndex = -1;
  const words = document.createElement("h3");
  words.textContent = form.querySelector("label").firstChild.textContent;
  said.append(words, paragraph(text));
  form.replaceWith(said);
  said.focus();
}

function moveShortcut(key, to) {
  const from = document.querySelector(`[data-shortcut=${key}]`);
  if (!from || from === to) return;
  const shown = from.querySelector("kbd");
  for (const name of ["data-shortcut", "aria-keyshortcuts"]) {
    if (to) to.setAttribute(name, from.getAttribute(name));
    from.removeAttribute(name);
  }
  if (to && shown) to.append(" ", shown);
  else shown?.remove();
}

function head(title) {
  const heading = document.querySelector("h1");
  heading.textContent = title;
  if (document.activeElement !== document.body && document.activeElement?.isConnected && !document.activeElement.closest("[hidden]")) return;
  heading.tabIndex = -1;
  heading.focus();
}

// Where the keyboard goes on from, on the page that shows what was recorded: in the text that is being typed; else at the form
// that was sent, where it is one that is sent again and again, as for the next speaker; else at the heading.
function comeBackTo(place) {
  const { activeElement: area } = document;
  const typing = area?.dataset.keep ? { keep: area.dataset.keep, from: area.selectionStart } : {};
  try {
    sessionStorage.setItem(HERE, JSON.stringify({ place, ...typing }));
  } catch {
    // as below
  }
}

function goOn() {
  let here;
  try {
    here = JSON.parse(sessionStorage.getItem(HERE));
    sessionStorage.removeItem(HERE);
  } catch {
    // not allowed
  }
  const place = here?.place;
  if (!place || document.activeElement !== document.body) return;
  const typed = here.keep && document.querySelector(`[data-keep="${CSS.escape(here.keep)}"]`);
  if (typed) {
    typed.focus();
    typed.setSelectionRange(here.from, here.from);
    return;
  }
  const isTheSame = (form) => placeOf(form)[1] === place[1];
  const [form] = [...document.querySelectorAll("form[data-again]")]
    .filter((one) => placeOf(one)[0] === place[0]).sort((one, other) => isTheSame(other) - isTheSame(one));
  form?.closest("details")?.setAttribute("open", "");
  const heading = document.querySelector("h1");
  heading.tabIndex = -1;
  (form?.querySelector("select, textarea, input[name=name]") ?? form?.querySelector("button") ?? heading).focus();
}

// What was typed since it was sent stays, on top of what is recorded now.
function recorded(name, text) {
  const area = document.querySelector(`[data-keep="${CSS.escape(name)}"]`);
  if (area && area.value !== area.defaultValue && plain(area.value) !== plain(text)) keep(name, text, area.value);
  else remove(PREFIX + name);
}

function labelOf(form, pressed) {
  const chosen = "brief" in form.dataset ? [] : [...form.querySelectorAll("select, textarea, input:not([type=hidden])")]
    .filter((one) => one.value && (!isChoice(one) || one.checked))
    .map((one) => (one.selectedOptions?.[0] ?? (isChoice(one) ? one.labels[0] : null))?.textContent ?? one.value);
  const words = [...(pressed ?? form.querySelector("button")).childNodes].filter((one) => one.nodeName !== "KBD");
  const item = form.closest("[data-item]")?.dataset.title ?? "";
  const said = [words.map((one) => one.textContent).join(""), item, ...chosen].filter(Boolean);
  return said.map((one) => one.trim().slice(0, 80)).join(" ");
}

function say(what) {
  const status = document.querySelector("[data-sending]");
  if (!status) return;
  const waiting = what === "waits" ? ` ${line.steps.map((one) => one.label).join("; ")}` : "";
  status.textContent = status.dataset[what] + waiting;
  status.hidden = false;
}

function paragraph(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function plain(text) {
  return (text ?? "").replaceAll("\r\n", "\n").trim();
}

// What waited when a window was closed, or waits in another one: sent by both, it is recorded once.
function waiting() {
  try {
    divide();
    const names = Object.keys(localStorage).filter((name) => name.startsWith(LINE));
    const steps = names.map(read).filter((step) => Array.isArray(step?.fields) && Array.isArray(step.kept));
    return steps.sort((one, other) => one.at - other.at);
  } catch {
    return []; // Not allowed.
  }
}

// A whole line under one key, as an earlier version of this page kept it: each step under its own.
function divide() {
  const old = read(`${PREFIX}line`);
  if (!Array.isArray(old?.steps)) return;
  old.steps.forEach((step, n) => write(LINE + keyOf(step.fields), n ? step : { ...step, version: old.version }));
  if (old.steps.every((step) => read(LINE + keyOf(step.fields)))) remove(`${PREFIX}line`);
}

// The first in line bears how many steps there were when it was pressed, or when the one before it was recorded.
function store(step) {
  write(LINE + keyOf(step.fields), step === line.steps[0] ? { ...step, version: line.version } : step);
}

// That the page was asked for anew for this step's sake: once is enough. False where it cannot be kept over that.
function marked(step) {
  step.reloaded = true;
  store(step);
  return read(LINE + keyOf(step.fields))?.reloaded === true;
}

function forget(step) {
  remove(LINE + keyOf(step.fields));
}

function keep(name, base, text) {
  write(PREFIX + name, { base, text });
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

function remove(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    // as below
  }
}

function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify({ at: Date.now(), values: [], ...value }));
  } catch {
    // Full, or not allowed: then it is there as long as the page is.
  }
}
