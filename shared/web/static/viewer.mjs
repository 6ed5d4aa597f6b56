// Shows the PDF itself, page by page as they come near, and its tagged text beside each page for screen readers. The
// document's text, which the server sends along, is shown instead of the pages on a narrow screen or when the reader asks
// for it; where there is none, the tagged text is. Without this script text and a plain link to the PDF remain.

import { getDocument, GlobalWorkerOptions } from "./vendor/pdfjs-6.5.438/pdf.min.mjs";

GlobalWorkerOptions.workerSrc = new URL("./vendor/pdfjs-6.5.438/pdf.worker.min.mjs", import.meta.url).href;

const ZOOM_STEP = 1.25;
const MOST_ZOOM = 4;
const NARROW = "(max-width: 40rem)"; // where a page's letters are too small to be read
const MOST_PIXELS = 8_000_000; // a canvas larger than this fails on small phones
const ELEMENTS = { Title: "p", H: "h3", H1: "h3", H2: "h4", H3: "h5", H4: "h6", P: "p", L: "ul", LI: "li", Table: "table", TR: "tr", TH: "th", TD: "td" };

class Viewer {
  constructor(root) {
    this.root = root;
    this.pages = root.querySelector(".viewer-pages");
    this.text = root.parentElement.querySelector(".document-text");
    if (this.text) root.append(this.text); // below the buttons
    this.words = root.dataset;
    this.zoom = 1;
    this.views = [];
  }

  async open() {
    const loading = getDocument({ url: this.words.pdf, isEvalSupported: false, useWasm: false, enableXfa: false });
    this.pdf = await loading.promise;
    const { info } = await this.pdf.getMetadata();
    if (info.Language) this.pages.lang = info.Language; // the reader's own may be another
    for (let number = 1; number <= this.pdf.numPages; number += 1) {
      const view = new PageView(await this.pdf.getPage(number), this);
      this.views.push(view);
      this.pages.append(view.element);
    }
    this.root.hidden = false;
    this.showText(matchMedia(NARROW).matches);
    this.watch();
    this.layOut();
    for (const view of this.views) await view.addText();
    this.root.dataset.ready = "true";
  }

  watch() {
    this.nearby = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) this.viewOf(entry.target).draw();
    }, { rootMargin: "100% 0px" });
    for (const view of this.views) this.nearby.observe(view.element);
    let width = 0;
    new ResizeObserver(() => {
      if (Math.abs(this.pages.clientWidth - width) < 2) return;
      width = this.pages.clientWidth;
      this.layOut();
    }).observe(this.pages);
    for (const button of this.root.querySelectorAll("[data-act]")) {
      button.addEventListener("click", () => this.act(button.dataset.act));
    }
  }

  act(name) {
    if (name === "text" || name === "pages") this.showText(name === "text");
    if (name === "closer") this.zoom = Math.min(this.zoom * ZOOM_STEP, MOST_ZOOM);
    if (name === "farther") this.zoom = Math.max(this.zoom / ZOOM_STEP, 1);
    this.layOut();
    if (name === "closer" || name === "farther") this.say(`${Math.round(this.zoom * 100)} %`);
  }

  showText(wanted) {
    if (this.text) {
      this.text.hidden = !wanted;
      this.pages.hidden = wanted;
    } else this.pages.classList.toggle("as-text", wanted);
    for (const button of this.root.querySelectorAll("[aria-pressed]")) {
      button.setAttribute("aria-pressed", String((button.dataset.act === "text") === wanted));
    }
    for (const button of this.root.querySelectorAll("[data-pages-only]")) button.hidden = wanted;
  }

  say(text) {
    this.root.querySelector("[role=status]").textContent = text;
  }

  layOut() {
    const style = getComputedStyle(this.pages);
    const room = this.pages.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (room <= 0) return; // while the text is shown
    for (const view of this.views) view.resize(room * this.zoom);
    for (const view of this.views) this.redraw(view);
  }

  redraw(view) {
    this.nearby.unobserve(view.element);
    this.nearby.observe(view.element);
  }

  viewOf(element) {
    return this.views.find((view) => view.element === element);
  }
}

class PageView {
  constructor(page, viewer) {
    this.page = page;
    this.viewer = viewer;
    this.element = document.createElement("div");
    this.element.className = "viewer-page";
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.element.append(this.canvas);
    this.drawn = 0;
    this.width = 0;
  }

  resize(width) {
    const size = this.page.getViewport({ scale: 1 });
    this.width = width;
    this.element.style.width = `${width}px`;
    this.element.style.height = `${(width * size.height) / size.width}px`;
  }

  async draw() {
    if (this.drawn === this.width || this.width <= 0) return;
    this.drawn = this.width;
    this.task?.cancel();
    const size = this.page.getViewport({ scale: 1 });
    const sharp = (this.width * (globalThis.devicePixelRatio || 1)) / size.width;
    const most = Math.sqrt(MOST_PIXELS / (size.width * size.height));
    const viewport = this.page.getViewport({ scale: Math.min(sharp, most) });
    const canvas = this.canvas.cloneNode();
    canvas.width = Math.floor(viewport.width);
    canvas.height = Math.floor(viewport.height);
    this.task = this.page.render({ canvas, viewport });
    try {
      await this.task.promise;
      this.canvas.replaceWith(canvas);
      this.canvas = canvas;
      this.element.dataset.drawn = "true";
    } catch (error) {
      if (error.name !== "RenderingCancelledException") throw error;
    }
  }

  async addText() {
    const text = document.createElement("div");
    text.className = "page-text";
    const number = document.createElement("p");
    number.className = "page-number";
    number.textContent = this.viewer.words.pageOf.replace("{n}", this.page.pageNumber).replace("{total}", this.viewer.pdf.numPages);
    text.append(number);
    const content = await this.page.getTextContent({ includeMarkedContent: true });
    const tree = await this.page.getStructTree();
    if (tree) build(tree, text, textsById(content.items));
    else text.append(...lines(content.items));
    this.element.append(text);
  }
}

// The text of each marked piece of content, by its id.
function textsById(items) {
  const texts = new Map();
  const open = [];
  for (const item of items) {
    if (item.type === "endMarkedContent") open.pop();
    else if (item.type) open.push(item.id ?? null);
    else {
      const id = open.findLast((one) => one !== null);
      if (id) texts.set(id, (texts.get(id) ?? "") + item.str + (item.hasEOL ? "\n" : ""));
    }
  }
  return texts;
}

// The document's own tags as elements of the page; tags that mean nothing here let their children through.
function build(node, parent, texts) {
  if (node.type === "content") {
    const text = texts.get(node.id);
    if (text) parent.append(text.replace(/-?\n$/, "").replace(/\n/g, " "), " ");
    return;
  }
  if (node.role === "Figure" || node.role === "Formula") {
    if (node.alt) parent.append(node.alt, " ");
    return;
  }
  if (node.role === "Lbl" && isBullet(node, texts)) return; // the list draws its own
  const name = ELEMENTS[node.role];
  const fits = name && !(name === "p" && parent.closest("p, h3, h4, h5, h6, li"));
  const target = fits ? document.createElement(name) : parent;
  for (const child of node.children ?? []) build(child, target, texts);
  if (fits && target.textContent.trim()) parent.append(target);
}

function isBullet(label, texts) {
  return (label.children ?? []).every((one) => /^\s*[•‣◦–-]?\s*$/.test(texts.get(one.id) ?? ""));
}

// Untagged: the lines as they come.
function lines(items) {
  const text = items.map((item) => (item.str ?? "") + (item.hasEOL ? "\n" : "")).join("");
  return text.split("\n").filter((line) => line.trim()).map((line) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    return paragraph;
  });
}

for (const root of document.querySelectorAll(".viewer")) {
  new Viewer(root).open().catch((error) => {
    console.error(error);
    const text = root.querySelector(".document-text");
    if (text) {
      root.after(text);
      text.hidden = false;
    }
    root.hidden = true;
  });
}
