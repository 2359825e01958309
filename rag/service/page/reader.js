/** The reader: a document beside the answer, opened at a place, with the words that were quoted and copied marked. */

import { byId, copyButton, element, foreign, placeOf, press, shown, told } from "./elements.js";
import { showPage } from "./pages.js";
import { inCollection, request } from "./service.js";
import { length, slice } from "./spans.js";
import { blocks } from "./text.js";

const AROUND = 12_000; // characters read on each side of the place
const MORE = 40_000; // characters read when a person asks for more

const wide = matchMedia("(min-width: 64rem)");

let places = [];
let index = 0;
let opener = null;
let latest = 0;
let preferred = "page"; // of a PDF: the page as a picture, or its text
let moved = () => {};

let movedDocument = () => {};

/** Be told of each document that is opened by itself, and with null that the reader is closed. */
export function onPlaceOfDocument(listener) {
  movedDocument = listener;
}

/** Be told of each place that is opened, and with null that the reader is closed; `replace`: as one step with the last. */
export function onPlace(listener) {
  moved = listener;
}

/** Open one of several places `{collection, document, start, end, quote, marks, ...}`; closing returns to `from`. */
export function openPlace(all, which, from) {
  places = all;
  index = which;
  opener = from ?? opener;
  byId("reader").hidden = false;
  document.body.classList.add("reading");
  keepBehind();
  moved(all[which], false);
  if (all[which].kind === "document") movedDocument(all[which]);
  show();
}

/** Tell whether a document is open. */
export const isReading = () => !byId("reader").hidden;

/** Close the reader and, with `back`, give the focus back to what opened it; false where it was not open. */
export function closeReader(back = true) {
  if (byId("reader").hidden) return false;
  byId("reader").hidden = true;
  document.body.classList.remove("reading");
  keepBehind();
  latest += 1;
  if (!back) return true;
  moved(null, true);
  movedDocument(null);
  if (opener?.isConnected) opener.focus();
  else byId("question").focus();
  return true;
}

/** Go to the next place, or with -1 to the one before. */
export function step(by) {
  if (byId("reader").hidden || !places[index + by]) return;
  index += by;
  moved(places[index], true);
  show();
}

/** On a narrow screen the reader lies over the page, which then cannot be reached behind it. */
function keepBehind() {
  const over = !byId("reader").hidden && !wide.matches;
  for (const each of document.querySelectorAll("body > header, main, body > .skip")) each.inert = over;
}
wide.addEventListener("change", keepBehind);

async function show() {
  const place = places[index];
  const turn = ++latest; // an older place that arrives late is not shown
  frame(place);
  const body = byId("reader-body");
  body.replaceChildren(element("p", { class: "soft", role: "status" }, "Opening the document…"));
  byId("reader-bar").replaceChildren();
  byId("reader-tabs").hidden = true;
  byId("reader-name").focus({ preventScroll: true });
  try {
    const part = await fetchPart(place, Math.max(0, place.start - AROUND), place.end + AROUND);
    if (turn !== latest) return;
    tools(place, part);
    if (part.format === "pdf" && isSame(place, part)) await showTabs(place, part, turn);
    else render(place, part);
  } catch (error) {
    if (turn === latest) body.replaceChildren(told(error), element("blockquote", {}, shown(place.quote)));
  }
}

const isSame = (place, part) => !place.sha256 || place.sha256 === part.sha256;

/** Show a PDF as its page and its text, one at a time; where no page can be drawn, the text alone. */
async function showTabs(place, part, turn) {
  const body = byId("reader-body");
  const bar = byId("reader-bar");
  const draw = async (kind) => {
    for (const each of ["page", "text"]) byId(`tab-${each}`).setAttribute("aria-selected", String(each === kind));
    for (const each of ["page", "text"]) byId(`tab-${each}`).tabIndex = each === kind ? 0 : -1;
    bar.replaceChildren();
    body.classList.toggle("paged", kind === "page");
    if (kind === "text") render(place, part);
    else await showPage(place, body, bar, () => turn === latest && body.classList.contains("paged"));
  };
  const choose = (kind) => {
    preferred = kind;
    draw(kind).catch((error) => body.replaceChildren(told(error)));
    byId(`tab-${kind}`).focus();
  };
  for (const each of ["page", "text"]) {
    byId(`tab-${each}`).onclick = () => choose(each);
    byId(`tab-${each}`).onkeydown = (event) => {
      if (["ArrowLeft", "ArrowRight"].includes(event.key)) choose(each === "page" ? "text" : "page");
    };
  }
  try {
    await draw(preferred);
    if (turn === latest) byId("reader-tabs").hidden = false;
  } catch {
    if (turn !== latest) return; // no PDF any more, or its file is gone: the text is all there is
    await draw("text");
  }
}

/** Offer the file itself, and its path where it has one that a person knows. */
function tools(place, part) {
  const isFile = part.origin !== "given";
  const folder = part.origin === "file" ? part.source.replace(/\/[^/]*$/, "") : "";
  const path = inCollection(place.collection, "documents", place.document, "file");
  const open = element(
    "a",
    { class: "link", href: path, target: "_blank", rel: "noopener noreferrer" },
    part.origin === "upload" ? "Download" : "Open file",
  );
  byId("reader-tools").replaceChildren(
    ...[isFile && open, part.origin === "file" && copyButton("Copy path", () => part.source)].filter(Boolean),
    press("link", "Ask in this document", () => narrow(place, part)),
    ...(folder ? [press("link wide-only", "Ask in its folder", () => narrowFolder(folder), { title: folder })] : []),
  );
}

let narrow = null;
let narrowFolder = null;

/** Let a person ask in the document that is open, or in its folder: `ask(place, part)` or `askFolder(path)` is called. */
export function onNarrow(ask, askFolder) {
  narrow = ask;
  narrowFolder = askFolder;
}

/** Return the part of the document from `start` to `end`, less the sections that would be torn at its ends. */
async function fetchPart(place, start, end) {
  const path = inCollection(place.collection, "documents", place.document);
  const part = await request("GET", `${path}?start=${start}&end=${end}`);
  const torn = (edge) => part.sections.find((section) => section.start < edge && edge < section.end);
  const from = part.start > 0 ? (torn(part.start)?.end ?? part.start) : part.start;
  const to = part.end < part.characters ? (torn(part.end)?.start ?? part.end) : part.end;
  // a section that is all there is, or that holds the place, stays torn
  const first = from < to && (from <= place.start || end <= place.start) ? from : part.start;
  const last = first < to && (place.end <= to || place.end <= start) ? to : part.end;
  return { ...part, start: first, end: last, text: slice(part.text, first - part.start, last - part.start) };
}

function frame(place) {
  byId("reader-tools").replaceChildren();
  byId("reader-body").classList.remove("paged");
  byId("reader-label").replaceChildren(place.caption + (places.length > 1 ? ` of ${places.length}` : ""));
  byId("reader-name").replaceChildren(foreign(place.name));
  byId("reader-trail").replaceChildren(
    ...place.trail
      .filter((heading) => ![place.name, place.page_name].includes(heading))
      .flatMap((heading, at) => [at ? " › " : "", foreign(heading)]),
  );
  byId("reader-place").replaceChildren(
    element("span", { class: "place" }, placeOf(place)),
    element("span", { class: "source" }, foreign(place.label ?? place.source)),
  );
  byId("reader-back").disabled = index === 0;
  byId("reader-on").disabled = index === places.length - 1;
  byId("reader-steps").hidden = places.length < 2;
}

const warning = (text) => element("p", { class: "warning", role: "status" }, text);

function render(place, part) {
  const spans = spansOf(place, part);
  const body = byId("reader-body");
  const notes = part.notes.map((note) => element("p", { class: "soft" }, foreign(note)));
  const notices = element("div", {}, notes);
  if (place.sha256 && place.sha256 !== part.sha256) {
    notices.append(warning("This document has been indexed anew since: it is no longer the one that was quoted."));
  }
  if (!spans.length && place.quote) {
    notices.append(warning("The quoted words no longer stand at their place. They were:"));
    notices.append(element("blockquote", { dir: "auto" }, shown(place.quote)));
  }
  const text = element("div", { class: "document" });
  body.replaceChildren(notices, text);
  text.append(...blocks(part, spans));
  if (part.start > 0) text.before(moreButton(place, part, spans, -1));
  if (part.end < part.characters) text.after(moreButton(place, part, spans, 1));
  const mark = text.querySelector("mark.copied") ?? text.querySelector("mark");
  if (mark) reveal(mark);
  else body.scrollTop = 0;
}

/** Scroll to a mark: its block, out of sight, is to be laid out first, and those around it get their height meanwhile. */
function reveal(mark) {
  mark.closest(".document > *").style.contentVisibility = "visible";
  const go = () => {
    if (!mark.isConnected) return;
    mark.scrollIntoView({ block: "center", inline: "nearest" });
    mark.closest(".scroll")?.scrollIntoView({ block: "nearest" }); // with the header of its table
    const cell = mark.closest(".document .grid:not(.record) td:not(:first-child)"); // beside the column that stays
    if (cell) cell.closest(".scroll").scrollLeft = cell.offsetLeft - cell.parentElement.firstElementChild.offsetWidth;
  };
  go();
  requestAnimationFrame(() => requestAnimationFrame(go));
}

/** Return what to mark, in characters of the document; nothing where the quotation does not stand there any more. */
function spansOf(place, part) {
  const from = place.start - part.start;
  if (!place.quote || slice(part.text, from, from + length(place.quote)) !== place.quote) return [];
  const marks = place.marks.map(([start, end]) => ({
    start: place.start + start,
    end: place.start + end,
    name: "copied",
  }));
  return [{ start: place.start, end: place.end, name: "quote" }, ...marks];
}

function moreButton(place, part, spans, way) {
  const button = press("button quiet more", way < 0 ? "Show what comes before" : "Show what follows", async () => {
    button.disabled = true;
    try {
      const [start, end] = way < 0 ? [Math.max(0, part.start - MORE), part.start] : [part.end, part.end + MORE];
      const next = await fetchPart(place, start, end);
      const added = blocks(next, spans);
      const text = byId("reader-body").querySelector(".document");
      const before = byId("reader-body").scrollHeight;
      if (way < 0) text.prepend(...added);
      else text.append(...added);
      if (way < 0) byId("reader-body").scrollTop += byId("reader-body").scrollHeight - before;
      const reached = way < 0 ? next.start > 0 : next.end < next.characters;
      if (reached) button.replaceWith(moreButton(place, next, spans, way));
      else button.remove();
    } catch (error) {
      button.replaceWith(told(error));
    }
  });
  return button;
}
