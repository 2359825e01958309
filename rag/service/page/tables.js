/** Tables out of text: rows that tell each cell with its header ("name: a; year: 1921"), and lines with `|` between. */

import { element } from "./elements.js";
import { length } from "./spans.js";

const MOST_COLUMNS = 200;
const RULE = /^[\s|:+\-=]+$/;
const NUMBER = /^[-+$€£]?\s?[\d.,\s]+%?$/;

/**
 * Return the cells of a row as `{key, start, end}`, [] where none has a header. The first without one is below an empty
 * corner: its key is "". A later one belongs to the cell before it, which has a semicolon of its own.
 */
function keyedCells(text) {
  if (text.includes("\n")) return [];
  let at = 0;
  const cells = [];
  for (const piece of text.split("; ")) {
    const head = /^([^:\n]{1,80}): /.exec(piece);
    const end = at + piece.length;
    if (head) cells.push({ key: head[1], start: at + head[0].length, end });
    else if (cells.length) cells.at(-1).end = end;
    else cells.push({ key: "", start: at, end });
    at = end + 2;
  }
  return cells.some(({ key }) => key) ? cells : [];
}

/**
 * Return rows of the form "name: a; year: 1921", of one table or several, as a list of `{columns, rows, isForm}`.
 *
 * A row is `{index, cells}`: which of `texts` it is, and for each column `{start, end}` in characters of that text, or
 * null. `cells` is null for a line between the rows, `columns` where there are only such lines. The cells of a form have
 * a `key` each. "b: c" in a value looks like a cell: what only one of several rows has belongs to the cell before it.
 */
export function gridsOf(texts, withForms = true) {
  const runs = [];
  texts.forEach((text, index) => {
    const cells = keyedCells(text);
    const run = runs.at(-1);
    if (run && (cells.length ? goesOn(run, cells) : takesLine(run))) addRow(run, index, cells);
    else addRow((runs.push({ columns: [], rows: [] }), runs.at(-1)), index, cells);
  });
  return (withForms ? forms(runs) : runs).map((run) => placed(run, texts));
}

/** Tell whether a row has the columns of a table: its first one, or half of those of the shorter of both. */
function goesOn({ columns }, cells) {
  const shared = cells.filter(({ key }) => columns.includes(key)).length;
  return shared > 0 && (cells[0].key === columns[0] || 2 * shared >= Math.min(cells.length, columns.length));
}

/** Tell whether a line without headers may stand among these rows. */
const takesLine = ({ columns, rows }) => columns.length === 0 || rows.length > 1 || columns.length > 3;

/** Add a row to a table; a new column stands behind the one before it in the row. */
function addRow(run, index, cells) {
  let place = 0;
  for (const { key } of cells) {
    const known = run.columns.indexOf(key);
    if (known < 0) run.columns.splice(place, 0, key);
    place = (known < 0 ? place : known) + 1;
  }
  run.rows.push({ index, cells });
}

/** Join tables of one row each into forms: labels beside their values. */
function forms(runs) {
  const made = [];
  for (const run of runs) {
    const isLabel = run.rows.length === 1 && run.rows[0].cells.length > 0 && run.rows[0].cells.length < 4;
    if (!isLabel) made.push(run);
    else if (made.at(-1)?.isForm) made.at(-1).rows.push(...run.rows);
    else made.push({ ...run, isForm: true });
  }
  return made;
}

function placed({ columns, rows, isForm = false }, texts) {
  if (isForm) return { columns: null, isForm, rows: rows.map((row) => ({ index: row.index, ...pointed(row, texts) })) };
  const first = new Set(rows.find(({ cells }) => cells.length)?.cells.map(({ key }) => key));
  const count = (key) => rows.filter(({ cells }) => cells.some((cell) => cell.key === key)).length;
  const kept = columns.filter((key) => rows.length < 3 || first.has(key) || count(key) > 1);
  if (!kept.length || kept.length > MOST_COLUMNS)
    return { columns: null, rows: rows.map(({ index }) => ({ index, cells: null })) };
  const inColumns = ({ index, cells }) => {
    if (!cells.length) return { index, cells: null };
    const row = kept.map(() => null);
    let last = null;
    for (const { key, start, end } of cells) {
      const column = kept.indexOf(key);
      if (column >= 0 && !row[column]) last = row[column] = { start, end };
      else if (last) last.end = end;
    }
    return { index, cells: row.map((cell) => cell && inPoints(texts[index], cell)) };
  };
  return { columns: kept, rows: rows.map(inColumns) };
}

const pointed = ({ index, cells }, texts) => ({
  cells: cells.map((cell) => ({ key: cell.key, ...inPoints(texts[index], cell) })),
});

/** Return rows of the form "name: a; year: 1921" as `{columns, rows}`, or null where they are not one table. */
export function gridOf(texts) {
  const [grid, ...others] = gridsOf(texts, false);
  const isGrid = !others.length && grid.columns?.length > 1 && grid.rows.every(({ cells }) => cells);
  return isGrid ? { columns: grid.columns, rows: grid.rows.map(({ cells }) => cells) } : null;
}

const EDGES = /^=+(?: +=+)+ *$/; // of the columns of a simple table of reStructuredText

/** Tell whether a paragraph of reStructuredText is a table. */
export const isTable = (text) => EDGES.test(text.split("\n", 1)[0]) || /^\+-/.test(text);

/** Return a simple table of reStructuredText as `tableOf` does: its columns begin where the edges above them do. */
function simpleTable(text, lines) {
  const starts = [...lines[0].matchAll(/=+/g)].map(({ index }) => index);
  const parts = [[]];
  let at = 0;
  for (const line of lines) {
    if (EDGES.test(line)) parts.push([]);
    else if (line.trim()) {
      const cells = starts.map((start, column) => {
        const words = line.slice(start, starts[column + 1]);
        const first = at + Math.min(start, line.length) + words.length - words.trimStart().length;
        return inPoints(text, { start: first, end: first + words.trim().length });
      });
      parts.at(-1).push(cells);
    }
    at += line.length + 1;
  }
  const [head, ...rows] = parts.filter((part) => part.length);
  return rows.length ? { header: head[0], rows: [...head.slice(1), ...rows.flat()] } : { header: null, rows: head ?? [] };
}

/** Return lines with `|` between their cells as `{header, rows}`, cells in characters of the text; null for no table. */
export function tableOf(text) {
  const lines = text.split("\n");
  if (EDGES.test(lines[0])) return simpleTable(text, lines);
  let at = 0;
  let rule = false;
  const rows = [];
  for (const line of lines) {
    if (RULE.test(line) && line.includes("-")) rule ||= rows.length === 1;
    else if (line.trim()) rows.push(cellsOf(text, line, at));
    at += line.length + 1;
  }
  if (!rows.length || rows.every((row) => row.length < 2)) return null;
  const words = ({ start, end }) => text.slice(start, end);
  const names = rows.length > 2 && !rows[0].some((cell) => NUMBER.test(words(cell)) || !words(cell));
  const placed = rows.map((row) => row.map((cell) => inPoints(text, cell)));
  return rule || names ? { header: placed[0], rows: placed.slice(1) } : { header: null, rows: placed };
}

function cellsOf(text, line, at) {
  const bare = line.trim();
  const from = at + line.indexOf(bare) + (bare.startsWith("|") ? 1 : 0);
  const to = at + line.indexOf(bare) + bare.length - (bare.length > 1 && bare.endsWith("|") ? 1 : 0);
  const cells = [];
  let start = from;
  for (let place = from; place <= to; place += 1) {
    if (place < to && (text[place] !== "|" || text[place - 1] === "\\")) continue;
    const [lead] = /^\s*/.exec(text.slice(start, place));
    const [rest] = /\s*$/.exec(text.slice(start + lead.length, place));
    cells.push({ start: start + lead.length, end: place - rest.length });
    start = place + 1;
  }
  return cells;
}

const inPoints = (text, { start, end }) => ({ start: length(text.slice(0, start)), end: length(text.slice(0, end)) });

function cellElement(cell, attributes = {}) {
  const made = element("td", { dir: "auto", ...attributes }, cell);
  if (made.textContent.length > 40) made.className = "long";
  return made;
}

/**
 * Return a table as an element that scrolls in its own box.
 *
 * `columns` are texts or nodes, or null for no header; `rows` hold lists of nodes a cell, a single one going over all
 * columns. `name` is read out; `isCited(place)` tells which rows are marked.
 */
export function tableElement(columns, rows, name, isCited = () => false) {
  const wide = columns?.length ?? Math.max(0, ...rows.map((row) => row.length));
  const heads = columns?.map((column) =>
    element(column === "" ? "td" : "th", column === "" ? {} : { scope: "col", dir: "auto" }, column),
  );
  const lines = rows.map((row, place) => {
    const alone = row.length === 1 && wide > 1 ? { colspan: wide } : {};
    return element("tr", { class: isCited(place) ? "cited" : null }, row.map((cell) => cellElement(cell, alone)));
  });
  return scrolling(
    element("table", { class: "grid" }, heads && element("thead", {}, element("tr", {}, heads)), element("tbody", {}, lines)),
    name,
  );
}

function scrolling(table, name) {
  return element("div", { class: "scroll", role: "group", "aria-label": name, tabindex: "0" }, table);
}

/** Return `[name, cell]` pairs below one another, each cell beside its name; `note` stands behind the last. */
export function recordElement(pairs, name, note = null, isCited = () => false) {
  const rows = pairs.map(([head, cell], at) =>
    element(
      "tr",
      { class: isCited(at) ? "cited" : null },
      element(head === "" ? "td" : "th", head === "" ? {} : { scope: "row", dir: "auto" }, head),
      element("td", { dir: "auto" }, cell, at === pairs.length - 1 && note),
    ),
  );
  return scrolling(element("table", { class: "grid record" }, element("tbody", {}, rows)), name);
}
