/** The reader: a document beside the answer, opened at a place, with the words that were quoted and copied marked. */

import { byId, element, foreign, placeOf, shown, told, unseen } from "./elements.js";
import { inCollection, request } from "./service.js";
import { isFlowing, length, pieces, slice } from "./spans.js";

const AROUND = 12_000; // characters read on each side of the place
const MORE = 40_000; // characters read when a person asks for more
const HASHES = /^\s{0,3}#{1,6}\s+/; // with which Markdown marks a heading

const wide = matchMedia("(min-width: 64rem)");

let places = [];
let index = 0;
let opener = null;
let latest = 0;

/** Open one of several places `{collection, document, start, end, quote, marks, ...}`; closing returns to `from`. */
export function openPlace(all, which, from) {
  places = all;
  index = which;
  opener = from ?? opener;
  byId("reader").hidden = false;
  document.body.classList.add("reading");
  keepBehind();
  show();
}

/** Close the reader and give the focus back to what opened it. */
export function closeReader() {
  if (byId("reader").hidden) return false;
  byId("reader").hidden = true;
  document.body.classList.remove("reading");
  keepBehind();
  latest += 1;
  if (opener?.isConnected) opener.focus();
  else byId("question").focus();
  return true;
}

/** Go to the next place, or with -1 to the one before. */
export function step(by) {
  if (byId("reader").hidden || !places[index + by]) return;
  index += by;
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
  byId("reader-name").focus({ preventScroll: true });
  try {
    const part = await fetchPart(place, Math.max(0, place.start - AROUND), place.end + AROUND);
    if (turn !== latest) return;
    render(place, part);
  } catch (error) {
    if (turn === latest) body.replaceChildren(told(error), element("blockquote", {}, shown(place.quote)));
  }
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
  byId("reader-label").replaceChildren(place.label + (places.length > 1 ? ` of ${places.length}` : ""));
  byId("reader-name").replaceChildren(foreign(place.name));
  byId("reader-trail").replaceChildren(
    ...place.trail
      .filter((heading) => heading !== place.name)
      .flatMap((heading, at) => [at ? " › " : "", foreign(heading)]),
  );
  byId("reader-place").replaceChildren(
    element("span", { class: "place" }, placeOf(place)),
    element("span", { class: "source" }, foreign(place.source)),
  );
  byId("reader-back").disabled = index === 0;
  byId("reader-on").disabled = index === places.length - 1;
  byId("reader-steps").hidden = places.length < 2;
}

function render(place, part) {
  const spans = spansOf(place, part);
  const body = byId("reader-body");
  const notices = element(
    "div",
    {},
    part.notes.map((note) => element("p", { class: "soft" }, foreign(note))),
  );
  if (place.sha256 && place.sha256 !== part.sha256) {
    notices.append(
      element(
        "p",
        { class: "warning", role: "status" },
        "This document has been indexed anew since: it is no longer the one that was quoted.",
      ),
    );
  }
  if (!spans.length && place.quote) {
    notices.append(
      element("p", { class: "warning", role: "status" }, "The quoted words no longer stand at their place. They were:"),
    );
    notices.append(element("blockquote", { dir: "auto" }, shown(place.quote)));
  }
  const text = element("div", { class: "document" });
  body.replaceChildren(notices, text);
  text.append(...blocks(part, spans));
  if (part.start > 0) text.before(moreButton(place, part, spans, -1));
  if (part.end < part.characters) text.after(moreButton(place, part, spans, 1));
  const mark = text.querySelector("mark.copied") ?? text.querySelector("mark");
  if (mark) mark.scrollIntoView({ block: "center" });
  else body.scrollTop = 0;
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
  const button = element(
    "button",
    { class: "button quiet more" },
    way < 0 ? "Show what comes before" : "Show what follows",
  );
  button.addEventListener("click", async () => {
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

/** Return the elements that show a part of a document: its sections in order, with a line where a page begins. */
function blocks(part, spans) {
  const made = [];
  let page = null;
  for (const section of covering(part)) {
    if (section.page !== null && section.page !== page) {
      page = section.page;
      made.push(element("p", { class: "page-mark" }, placeOf({ page, source: part.source })));
    }
    const text = slice(part.text, section.start - part.start, section.end - part.start);
    if (text.trim()) made.push(block(section, text, spans));
  }
  return made;
}

/** Return the sections of a part, cut to it, and between them what no section covers. */
function covering(part) {
  const plain = { kind: "paragraph", level: 0, page: null, line: null };
  const made = [];
  let at = part.start;
  for (const section of part.sections) {
    const start = Math.max(section.start, at);
    const end = Math.min(section.end, part.end);
    if (start > at) made.push({ ...plain, start: at, end: start });
    if (end > start) made.push({ ...section, start, end });
    at = Math.max(at, end);
  }
  if (at < part.end) made.push({ ...plain, start: at, end: part.end });
  return made;
}

function block(section, whole, spans) {
  const hidden = section.kind === "heading" ? length(HASHES.exec(whole)?.[0] ?? "") : 0;
  const text = slice(whole, hidden, length(whole));
  const start = section.start + hidden;
  const within = spans
    .filter((span) => span.start < section.end && start < span.end)
    .map((span) => ({ ...span, start: Math.max(0, span.start - start), end: span.end - start }));
  const nodes = pieces(text, within).map((piece) => (piece.names.length ? marked(piece, within) : shown(piece.text)));
  if (section.kind === "heading") {
    const level = Math.min(Math.max(section.level, 1) + 2, 6); // below the document's own name
    return element(`h${level}`, { dir: "auto" }, nodes);
  }
  if (section.kind === "code" || section.kind === "table") return element("pre", { dir: "auto" }, nodes);
  const flows = section.kind === "paragraph" && isFlowing(text);
  return element("p", { dir: "auto", class: flows ? "" : "lines" }, nodes);
}

function marked(piece, within) {
  const copied = piece.names.includes("copied");
  const starts = within.some((span) => span.name === "quote" && span.start === piece.start);
  const ends = within.some((span) => span.name === "quote" && span.end === piece.end);
  return [
    starts && unseen("Quotation: "),
    element("mark", { class: copied ? "quote copied" : "quote" }, shown(piece.text)),
    ends && unseen(" End of the quotation. "),
  ];
}
