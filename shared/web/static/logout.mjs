// Takes away with the logout, from whichever page, what `drafts.mjs` and `sitting.mjs` keep of what was typed.

for (const form of document.querySelectorAll("form[action$='/logout']")) {
  form.addEventListener("submit", () => {
    try {
      Object.keys(localStorage).filter((key) => key.startsWith("justera-draft:")).forEach((key) => localStorage.removeItem(key));
    } catch {
      // Not allowed: then nothing is kept.
    }
  });
}
