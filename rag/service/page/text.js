/** The text of a document as it is read: headings, paragraphs, lists, code and tables, with spans of it marked. */

import { element, isSheet, placeOf, shown, unseen } from "./elements.js";
import { inlineMarks } from "./inline.js";
import { isFlowing, length, pieces, slice } from "./spans.js";
import { gridsOf, isTable, recordElement, tableElement, tableOf } from "./tables.js";

const HASHES = /^\s{0,3}#{1,6}\s+/; // with which Markdown marks a heading
const UNDERLINE = /\n\s{0,3}([=\-~^"'*+#`:.])\1{2,}\s*$/; // and with which reStructuredText does
const ITEM = /^(\s*)(?:[-*+•‣–]|\(?(\d{1,3})[.)])\s+/;
const DIRECTIVE = /^\.\. (?:(?:code-block|code|sourcecode)::|([a-z-]+)::) */; // of reStructuredText
const FENCE = /^\s*(?:`{3,}|~{3,})[^\n]*\n?|\n?\s*(?:`{3,}|~{3,})\s*$/g;

/** Return the elements that show a part of a document: its sections in order, with a line where a page begins. */
export function blocks(part, spans) {
  const made = [];
  let page = null;
  let rows = [];
  const flush = () => {
    if (rows.length) made.push(...rowBlocks(part, rows, spans));
    rows = [];
  };
  for (const section of covering(part)) {
    if (section.page !== null && section.page !== page) {
      flush();
      page = section.page;
      if (section.kind === "heading" && isSheet(part.source)) {
        made.push(sheetName(part, section, spans));
        continue;
      }
      made.push(element("p", { class: "page-mark" }, placeOf({ page, source: part.source })));
    }
    if (section.kind === "row") {
      rows.push(section);
    } else if (textOf(part, section).trim()) {
      flush();
      made.push(...block(part, section, spans));
    }
  }
  flush();
  return made;
}

/** Return the name of a sheet, above its grid. */
const sheetName = (part, section, spans) =>
  element("h3", { class: "sheet-name", dir: "auto" }, element("span", { class: "soft" }, "Sheet "), nodesOf(part, section, spans));

const textOf = (part, { start, end }) => slice(part.text, start - part.start, end - part.start);

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

function block(part, section, spans) {
  const text = textOf(part, section);
  const at = (from, to) => nodesOf(part, { start: section.start + from, end: section.start + to }, spans);
  const total = length(text);
  if (section.kind === "heading") {
    const level = Math.min(Math.max(section.level, 1) + 2, 6); // below the document's own name
    const lead = length(HASHES.exec(text)?.[0] ?? "");
    return [element(`h${level}`, { dir: "auto" }, at(lead, total - length(UNDERLINE.exec(text)?.[0] ?? "")))];
  }
  const directive = part.format === "rst" && section.kind === "paragraph" && DIRECTIVE.exec(text);
  if (directive) {
    const name = directive[1] && element("strong", {}, `${directive[1][0].toUpperCase()}${directive[1].slice(1)} `);
    return [element("p", { dir: "auto", class: name ? "" : "soft" }, name, at(length(directive[0]), total))];
  }
  if (section.kind === "table" || (part.format === "rst" && isTable(text))) {
    const table = tableOf(text);
    if (table) {
      const cells = (row) => row.map((cell) => at(cell.start, cell.end));
      const isCited = (place) => {
        const row = table.rows[place];
        return isQuoted(spans, section.start + row[0].start, section.start + row.at(-1).end);
      };
      return [tableElement(table.header && cells(table.header), table.rows.map(cells), "Table of the document", isCited)];
    }
  }
  if (section.kind === "code" || section.kind === "table") {
    const [first, last] = fenced(text);
    return [
      element(
        "pre",
        { dir: "auto", tabindex: "0" },
        nodesOf(part, { start: section.start + first, end: section.start + last }, spans, ""),
      ),
    ];
  }
  const lines = text.split("\n");
  if (lines.some((line) => ITEM.test(line))) return listed(lines, at);
  return [element("p", { dir: "auto", class: isFlowing(text) ? "" : "lines" }, at(0, total))];
}

/** Return where code begins and ends without the fences around it. */
export function fenced(text) {
  const marks = [...text.matchAll(FENCE)].map((match) => [match.index, match.index + match[0].length]);
  const head = marks.find(([start]) => start === 0);
  const tail = marks.find(([start, end]) => start > 0 && end === text.length);
  return [length(text.slice(0, head?.[1] ?? 0)), length(text.slice(0, tail?.[0] ?? text.length))];
}

/** Return lines of which some begin an item as paragraphs and lists. */
function listed(lines, at) {
  const runs = [];
  let place = 0;
  for (const line of lines) {
    const end = place + length(line);
    const item = ITEM.exec(line);
    const last = runs.at(-1);
    if (item) runs.push({ item, start: place + length(item[0]), end });
    else if (last && line.trim()) last.end = end;
    else if (line.trim()) runs.push({ item: null, start: place, end });
    place = end + 1;
  }
  const made = [];
  for (const { item, start, end } of runs) {
    if (!item) {
      made.push(element("p", { dir: "auto" }, at(start, end)));
      continue;
    }
    const kind = item[2] ? "OL" : "UL";
    const row = element("li", { dir: "auto", value: item[2] ?? null }, at(start, end));
    row.style.marginInlineStart = `${Math.min(Math.floor(item[1].length / 2), 6) * 1.25}rem`;
    if (made.at(-1)?.tagName === kind) made.at(-1).append(row);
    else made.push(element(kind.toLowerCase(), {}, row));
  }
  return made;
}

/** Tell whether some of what is quoted stands between two characters of the document. */
const isQuoted = (spans, start, end) =>
  spans.some((span) => span.name === "quote" && span.start < end && start < span.end);

/** Return rows as grids under their headers, as forms, or as lines. */
function rowBlocks(part, sections, spans) {
  const cellOf = (index, cell) => {
    const { start } = sections[index];
    return cell ? nodesOf(part, { start: start + cell.start, end: start + cell.end }, spans) : "";
  };
  const isCited = (index) => isQuoted(spans, sections[index].start, sections[index].end);
  return gridsOf(sections.map((section) => textOf(part, section))).flatMap(({ columns, rows, isForm }) => {
    if (isForm) {
      const pairs = rows.flatMap(({ index, cells }) =>
        cells.map((cell) => ({ index, pair: [shown(cell.key), cellOf(index, cell)] })),
      );
      const all = pairs.map(({ pair }) => pair);
      return [recordElement(all, "Fields of the document", null, (place) => isCited(pairs[place].index))];
    }
    const whole = (index) => nodesOf(part, sections[index], spans);
    if (!columns) return rows.map(({ index }) => element("p", { dir: "auto", class: "lines" }, whole(index)));
    return [
      tableElement(
        columns.map((column) => shown(column)),
        rows.map(({ index, cells }) => (cells ? cells.map((cell) => cellOf(index, cell)) : [whole(index)])),
        "Table of the document",
        (place) => isCited(rows[place].index),
      ),
    ];
  });
}

/** Return a stretch of the document as nodes: marks of its format left out, spans marked. */
function nodesOf(part, { start, end }, spans, format = part.format) {
  const text = textOf(part, { start, end });
  const within = spans
    .filter((span) => span.start < end && start < span.end)
    .map((span) => ({ ...span, start: Math.max(0, span.start - start), end: span.end - start }));
  return pieces(text, [...within, ...inlineMarks(text, format, within)]).flatMap((piece) => {
    const first = within.some((span) => span.name === "quote" && span.start === piece.start);
    const last = within.some((span) => span.name === "quote" && span.end === piece.end);
    return [
      first && unseen("Quotation: "),
      !piece.names.includes("gone") && styled(piece),
      last && unseen(" End of the quotation. "),
    ];
  });
}

function styled(piece) {
  let node = shown(piece.text);
  for (const name of ["code", "em", "strong"]) if (piece.names.includes(name)) node = element(name, {}, node);
  const isQuote = piece.names.includes("quote");
  const isCopied = piece.names.includes("copied");
  return isQuote || isCopied ? element("mark", { class: isCopied ? "quote copied" : "quote" }, node) : node;
}
