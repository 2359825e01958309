/** What of an answer is read first: a fact in its sentence, a list, code, the rows of a table, with marks of footnotes. */

import { copyButton, element, placeOf, press, shown, unseen } from "./elements.js";
import { formatOf, inlineMarks, marked } from "./inline.js";
import { rowsOf, rowsTable, wholeRows } from "./rows.js";
import { isFlowing, length, pieces, slice } from "./spans.js";
import { fenced } from "./text.js";

const JOINING = /^[\s,;.:/…]*(?:and|or)?[\s,;.:/…]*$/;
const ITEM = /^\s*(?:[-*+•‣–]|\(?(\d{1,3})[.)])\s+/;

/** Return the elements that show what an answer says; `open(index, opener)` opens one of its footnotes. */
export function bodyOf(answer, open) {
  const isUnsure = answer.outcome === "unsure";
  const rows = tabular(answer, open);
  if (rows) return rows;
  if (isSpan(answer) || (isUnsure && answer.form === "yes-no")) return sentences(answer, open);
  const parts = nodesOf(answer, open);
  return [...parts, ...(isBareVerdict(answer) ? sentences(answer, open) : [])];
}

/** Tell whether the answer is nothing but copied spans and joining words. */
const isCopied = (answer) =>
  answer.copied.length > 0 && answer.written.every(([start, end]) => JOINING.test(slice(answer.answer, start, end)));

/** Tell whether the answer is a span, which is read in its sentence. */
const isSpan = (answer) => ["fact", "field"].includes(answer.form) && isCopied(answer);

/** Return the citations that bear out a part of the answer, with their places in the list. */
const bearing = (answer) =>
  answer.citations.map((citation, index) => ({ citation, index })).filter(({ citation }) => citation.claims.length);

/** Tell whether the answer consists of rows of tables, so that each is read with its headers. */
const areRows = (answer) =>
  isCopied(answer) &&
  !answer.code.length &&
  bearing(answer).length > 0 &&
  bearing(answer).every(({ citation }) => ["row", "table"].includes(citation.kind));

/** Tell whether the answer is a bare yes or no, which is read with its sentence. */
const isBareVerdict = (answer) => /^(?:Yes|No)\.$/.test(answer.answer.trim());

/** Return rows of tables as tables with their headers, where all that is quoted are rows; else null. */
function tabular(answer, open) {
  if (!areRows(answer)) return null;
  const found = bearing(answer);
  const made = [];
  for (let at = 0; at < found.length;) {
    const { kind, document, header } = found[at].citation;
    let end = at + 1;
    const isAlike = ({ citation: one }) => one.kind === kind && one.document === document && one.header === header;
    while (end < found.length && isAlike(found[end])) end += 1;
    const table = rowsElements(answer, found.slice(at, end), open);
    if (!table) return null;
    made.push(...table);
    at = end;
  }
  return made;
}

const noted = ({ citation, index }, open) => reference(citation, (opener) => open(index, opener));

/** Return the rows of one table that answer, as elements; null where what is quoted are no rows. */
function rowsElements(answer, found, open) {
  let text = "";
  const starts = [];
  const marks = found.flatMap(({ citation }, at) => {
    if (at) text += "\n";
    starts.push(length(text));
    text += citation.quote;
    return citation.marks.map(([start, end]) => [start + starts[at], end + starts[at]]);
  });
  const { header, source } = found[0].citation;
  const table = rowsOf(text, marks, answer.question, { header, source });
  if (!table) return null;
  const notes = table.rows.map((row) => {
    const { start } = row.find((cell) => cell.text) ?? row[0];
    return noted(found[starts.findLastIndex((each) => each <= start)], open);
  });
  const short = rowsTable(table, table.kept, "Rows that answer", notes);
  return [short, table.isShort && wholeRows(table)].filter(Boolean);
}

function sentences(answer, open) {
  return bearing(answer).map((each) => {
    const { quote, marks, source } = each.citation;
    return element(
      "p",
      { class: isFlowing(quote) ? "text flowing" : "text", dir: "auto" },
      marked(quote, marks, "strong", source),
      noted(each, open),
    );
  });
}

/** Return the answer's text: paragraphs, lists and code, with a mark for each footnote after what it bears out. */
function nodesOf(answer, open) {
  const made = [];
  for (const block of blocks(answer)) {
    const last = made.at(-1);
    if (block.kind === "item") {
      const [mark, digits] = ITEM.exec(slice(answer.answer, block.start, block.end));
      const start = block.start + length(mark); // the list has a mark of its own
      const item = element("li", { dir: "auto", value: digits ?? null }, inline(answer, { ...block, start }, open));
      const kind = digits ? "ol" : "ul";
      if (last?.tagName === kind.toUpperCase()) last.append(item);
      else made.push(element(kind, { class: "text items" }, item));
    } else if (block.kind === "code") {
      const { words, marks } = coded(answer, block, open);
      const copy = copyButton("Copy", () => words, { class: "button quiet copy-code" });
      made.push(element("div", { class: "code" }, element("pre", { tabindex: "0" }, element("code", {}, words)), copy));
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
  const meant = inlineMarks(slice(answer.answer, block.start, block.end), formatAt(answer, block)).map((span) => ({
    ...span,
    start: span.start + block.start,
    end: span.end + block.start,
  }));
  const spans = [
    block,
    ...meant,
    ...answer.unsupported.map(([start, end]) => ({ start, end, name: "bare" })),
    ...answer.written.map(([start, end]) => ({ start, end, name: "written" })),
    ...ends.flatMap((places) => [...places].map((end) => ({ start: 0, end, name: "claim" }))), // cuts at each end
  ];
  return pieces(answer.answer, spans)
    .filter((piece) => block.start <= piece.start && piece.end <= block.end)
    .flatMap((piece) => [
      piece.names.includes("gone") ? "" : worded(piece),
      ...answer.citations.flatMap((citation, index) =>
        ends[index].has(piece.end) ? [noted({ citation, index }, open)] : [],
      ),
    ]);
}

/** Return the format of what is quoted in a part of the answer. */
function formatAt(answer, block) {
  const cited = answer.citations.find(
    ({ claims, source }) => formatOf(source) && claims.some(([start, end]) => start < block.end && block.start < end),
  );
  return cited ? formatOf(cited.source) : "";
}

function worded({ text, names }) {
  if (names.includes("bare"))
    return element("span", { class: "bare" }, shown(text), unseen(" (not supported by the documents) "));
  const isStrong = names.includes("strong") || (names.includes("written") && /\w/.test(text));
  const name = names.includes("code") ? "code" : isStrong ? "strong" : names.includes("em") ? "em" : null;
  return name ? element(name, {}, shown(text)) : shown(text);
}

function coded(answer, block, open) {
  const marks = answer.citations.flatMap((citation, index) =>
    citation.claims.some(([, end]) => block.start < end && end <= block.end) ? [noted({ citation, index }, open)] : [],
  );
  const text = slice(answer.answer, block.start, block.end);
  return { words: shown(slice(text, ...fenced(text))), marks };
}

function reference(citation, open) {
  const label = `Footnote ${citation.number}: ${shown(citation.name)}, ${placeOf(citation)}`;
  const number = String(citation.number);
  const button = press("reference", number, () => open(button), { "aria-label": label, title: label });
  return button;
}
