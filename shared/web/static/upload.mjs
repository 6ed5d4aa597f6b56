// A file that is larger than what is taken is told of before it is sent: a browser that sends hundreds of megabytes sees
// only a broken connection when the server stops it. Without this script the server refuses it.

const form = document.querySelector("form[data-most]");
const field = form?.querySelector("[type=file]"); // who may only read is shown no form

function isTooLarge() {
  const found = [...field.files].some((one) => one.size > Number(form.dataset.most));
  form.querySelector(".too-large")?.remove();
  form.querySelector("#file-error")?.remove(); // what was said of the file before
  field.toggleAttribute("aria-invalid", found);
  if (found) {
    const line = document.createElement("p");
    line.className = "error too-large";
    line.setAttribute("role", "alert");
    line.textContent = form.dataset.tooLarge;
    field.before(line);
  }
  return found;
}

field?.addEventListener("change", isTooLarge);
form?.addEventListener("submit", (event) => {
  if (!isTooLarge()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  field.focus();
}, { capture: true });
