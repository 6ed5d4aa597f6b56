// Keeps what is typed in a form until the server took it: in this browser, by the form's address and the version that it
// was made from. Comes back after a lost connection, a crash or a closed window; goes with the logout (`logout.mjs`), or after
// two weeks. A form is sent only when the server can be reached, so that the page with the words stays. Without this script a form
// is sent as ever. Never kept: passwords, files, and what is hidden.

const PREFIX = "justera-draft:";
const KEPT = 14 * 24 * 3600 * 1000; // ms
const LONGEST = 200_000; // characters of one form
const PATIENCE = 10_000; // ms until a server that does not answer is asked for real
const WORDS = document.querySelector("[data-drafts]").dataset;
const LOCALE = { en: "en-GB" }[document.documentElement.lang] ?? document.documentElement.lang; // days before months, as elsewhere

const fieldsOf = (form) => [...form.elements].filter((one) =>
  one.name && one.matches("textarea, select, input:not([type=hidden], [type=file], [type=password], [type=submit])"));
const keyOf = (form) => PREFIX + new URL(form.action).pathname;
// What the link to the page chose (an answer in a mail, a person who was just added) is not what someone typed before the
// link was opened: it makes another form.
const CHOSEN = ["answer", "person"].map((name) => new URLSearchParams(location.search).get(name) ?? "").join("");
const versionOf = (form) => ["version", "seen"].map((name) => form.elements.namedItem(name)?.value ?? "").join("") + CHOSEN;
const isChoice = (field) => field.matches("[type=checkbox], [type=radio]");
const valueOf = (field) => (isChoice(field) ? `${field.value}:${field.checked}` : field.value);
const valuesOf = (form) => fieldsOf(form).map((field) => [field.name, valueOf(field)]);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// Each field with what was kept of it. A form can come back with more fields, or fewer: where it first shows what would happen.
function pairs(form, values) {
  const left = [...values];
  return fieldsOf(form).flatMap((field) => {
    const n = left.findIndex(([name, value]) => name === field.name
      && (!isChoice(field) || value === `${field.value}:true` || value === `${field.value}:false`));
    return n < 0 ? [] : [[field, left.splice(n, 1)[0][1]]];
  });
}

function fill(form, values) {
  for (const [field, value] of pairs(form, values)) {
    if (isChoice(field)) field.checked = value === `${field.value}:true`;
    else field.value = value;
  }
}

function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key));
    return kept && Array.isArray(kept.values) ? kept : null;
  } catch {
    return null;
  }
}

function write(key, draft) {
  try {
    const text = JSON.stringify(draft);
    if (text.length <= LONGEST) localStorage.setItem(key, text);
  } catch {
    // Full, or not allowed: then the form is as it was before there was this script.
  }
}

function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // as above
  }
}

// Which form this window sent last: with a key, remembers it; without one, answers and forgets.
function sent(key) {
  try {
    const last = sessionStorage.getItem("justera-sent");
    if (key) sessionStorage.setItem("justera-sent", key);
    else sessionStorage.removeItem("justera-sent");
    return last;
  } catch {
    return null;
  }
}

function keys() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}

// A line before the form, read out, with buttons.
function say(form, className, text, ...buttons) {
  form.querySelector(":scope > .draft")?.remove();
  const line = document.createElement("div");
  line.className = `notice ${className} draft`;
  line.tabIndex = -1;
  line.setAttribute("role", className === "warning" ? "alert" : "status");
  const words = document.createElement("p");
  words.textContent = text;
  line.append(words);
  for (const [label, act] of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = label;
    button.addEventListener("click", act);
    line.append(button);
  }
  form.prepend(line);
  return line;
}

function watch(form) {
  const key = keyOf(form);
  const original = valuesOf(form);
  const draft = read(key);
  const discard = () => {
    forget(key);
    fill(form, original);
    form.querySelector(":scope > .draft")?.remove();
    fieldsOf(form)[0]?.focus();
  };
  const unsaved = document.querySelector(".error-summary, .notice.warning, [data-unsaved]") !== null; // it was not taken
  const differs = (values) => pairs(form, values).some(([field, value]) => valueOf(field) !== value);
  if (draft && !differs(draft.values)) {
    if (!unsaved) forget(key);
  } else if (draft) {
    const since = new Date(draft.at).toLocaleString(LOCALE, { dateStyle: "medium", timeStyle: "short" });
    if (draft.version === versionOf(form)) {
      fill(form, draft.values);
      say(form, "info", WORDS.restored.replace("{when}", since), [WORDS.discard, discard]);
    } else {
      const bring = () => {
        fill(form, draft.values);
        say(form, "info", WORDS.restored.replace("{when}", since), [WORDS.discard, discard]);
      };
      say(form, "info", WORDS.older.replace("{when}", since), [WORDS.bring, bring], [WORDS.discard, discard]);
    }
  }
  const keep = () => {
    const values = valuesOf(form);
    if (same(values, original) && !unsaved) forget(key);
    else write(key, { at: Date.now(), version: versionOf(form), values });
  };
  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
  let [asking, through] = [false, false];
  form.addEventListener("submit", async (event) => {
    if (through) return;
    event.preventDefault();
    if (asking) return; // pressed twice
    asking = true;
    const pressed = event.submitter;
    const found = await reached();
    asking = false;
    if (!found) {
      say(form, "warning", WORDS.lost).focus();
      return;
    }
    keep();
    sent(key);
    through = true;
    form.requestSubmit(pressed);
    through = false;
  });
}

async function reached() {
  if (!navigator.onLine) return false;
  try {
    await fetch(import.meta.url, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    return true;
  } catch (error) {
    return error.name === "TimeoutError"; // slow is not gone
  }
}

// A page that comes back whole by the browser's Back is from before what was saved since: its form would be refused as
// changed meanwhile, by nobody else than who sits here. What was typed in it and not saved is kept above.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Those of a sitting are kept by `sitting.mjs`; what is over in a moment, or there many times over at one address, is not kept.
const forms = [...document.querySelectorAll("form[method=post]:not([data-say], [data-unkept])")].filter(
  (form) => fieldsOf(form).length && new URL(form.action).origin === location.origin);
const last = sent();
// The page that a form leads to says what was done: then the server took it.
if (last && ["done", "again"].some((name) => new URLSearchParams(location.search).has(name))) forget(last);
for (const key of keys()) {
  const draft = read(key);
  if (!draft || Date.now() - draft.at > KEPT) forget(key);
}
forms.forEach(watch);
