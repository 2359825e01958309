/** What of an answer is read first: its words, or the sentences that they stand in, with the marks of footnotes. */

import { element, placeOf, shown, unseen } from "./elements.js";
import { isFlowing, length, pieces, slice } from "./spans.js";

const JOINING = /^[\s,;.:/…]*(?:and|or)?[\s,;.:/…]*$/;
const ITEM = /^\s*(?:[-*+•‣–]|\(?\d{1,3}[.)])\s/;

/** Return the elements that show what an answer says; `open(index, opener)` opens one of its footnotes. */
export function bodyOf(answer, open) {
  const isUnsure = answer.outcome === "unsure";
  if (isSpan(answer) || (isUnsure && answer.form === "yes-no")) return sentences(answer, open);
  const parts = nodesOf(answer, open);
  const alone = /^(?:Yes|No)\.$/.test(answer.answer.trim());
  return [...parts, ...(alone ? sentences(answer, open) : [])];
}

/** Tell whether the answer is a span, which is read in its sentence. */
function isSpan(answer) {
  const copies = answer.written.every(([start, end]) => JOINING.test(slice(answer.answer, start, end)));
  return ["fact", "field"].includes(answer.form) && answer.copied.length > 0 && copies;
}

function sentences(answer, open) {
  return answer.citations.flatMap((citation, index) =>
    citation.claims.length
      ? [
          element(
            "p",
            { class: isFlowing(citation.quote) ? "text flowing" : "text", dir: "auto" },
            marked(citation.quote, citation.marks, "strong"),
            reference(citation, (opener) => open(index, opener)),
          ),
        ]
      : [],
  );
}

/** Return text as nodes, with the spans of it in elements of that name, unless they are all of it. */
export function marked(text, spans, name) {
  const total = length(text);
  const some = spans.filter(([start, end]) => end - start < total).map(([start, end]) => ({ start, end, name }));
  return pieces(text, some).map((piece) =>
    piece.names.length ? element(name, {}, shown(piece.text)) : shown(piece.text),
  );
}

/** Return the answer's text: paragraphs, lists and code, with a mark for each footnote after what it bears out. */
function nodesOf(answer, open) {
  const made = [];
  for (const block of blocks(answer)) {
    const last = made.at(-1);
    if (block.kind === "item") {
      const item = element("li", { dir: "auto" }, inline(answer, block, open));
      if (last?.tagName === "UL") last.append(item);
      else made.push(element("ul", { class: "text items" }, item));
    } else if (block.kind === "code") {
      const { words, marks } = coded(answer, block, open);
      made.push(element("pre", { tabindex: "0" }, element("code", {}, words)));
      if (marks.length) made.push(element("p", { class: "text" }, marks));
    } else if (slice(answer.answer, block.start, block.end).trim()) {
      made.push(element("p", { class: "text", dir: "auto" }, inline(answer, block, open)));
    }
  }
  return made;
}

/** Return the parts of the text that are shown alike: runs of lines, single items, runs of code. */
function blocks(answer) {
  const found = [];
  let start = 0;
  for (const line of answer.answer.split("\n")) {
    const end = start + length(line);
    const isCode = answer.code.some(([first, last]) => first <= start && end <= last);
    const kind = isCode ? "code" : ITEM.test(line) ? "item" : line.trim() ? "lines" : "blank";
    const last = found.at(-1);
    if (last && last.kind === kind && kind !== "item") last.end = end;
    else found.push({ kind, start, end });
    start = end + 1;
  }
  return found;
}

function inline(answer, block, open) {
  const ends = answer.citations.map(({ claims }) => new Set(claims.map(([, end]) => end)));
  const spans = [
    block,
    ...answer.unsupported.map(([start, end]) => ({ start, end, name: "bare" })),
    ...answer.written.map(([start, end]) => ({ start, end, name: "written" })),
    ...ends.flatMap((places) => [...places].map((end) => ({ start: 0, end, name: "claim" }))), // cuts at each end
  ];
  return pieces(answer.answer, spans)
    .filter((piece) => block.start <= piece.start && piece.end <= block.end)
    .flatMap((piece) => [
      worded(piece),
      ...answer.citations.flatMap((citation, index) =>
        ends[index].has(piece.end) ? [reference(citation, (opener) => open(index, opener))] : [],
      ),
    ]);
}

function worded({ text, names }) {
  if (names.includes("bare"))
    return element("span", { class: "bare" }, shown(text), unseen(" (not borne out by the documents) "));
  return names.includes("written") && /\w/.test(text) ? element("strong", {}, shown(text)) : shown(text);
}

function coded(answer, block, open) {
  const marks = answer.citations.flatMap((citation, index) =>
    citation.claims.some(([, end]) => block.start < end && end <= block.end)
      ? [reference(citation, (opener) => open(index, opener))]
      : [],
  );
  return { words: shown(slice(answer.answer, block.start, block.end)), marks };
}

function reference(citation, open) {
  const label = `Footnote ${citation.number}: ${shown(citation.name)}, ${placeOf(citation)}`;
  const attributes = { class: "reference", "aria-label": label, title: label, onclick: () => open(button) };
  const button = element("button", attributes, String(citation.number));
  return button;
}
