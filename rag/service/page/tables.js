/** Tables out of text: rows that tell each cell with its header ("name: a; year: 1921"), and lines with `|` between. */

import { element } from "./elements.js";
import { length } from "./spans.js";

const MOST_COLUMNS = 60;
const RULE = /^[\s|:+\-=]+$/;
const NUMBER = /^[-+$€£]?\s?[\d.,\s]+%?$/;

/** Return the cells of a row, each `{key, start, end}` in characters of the row; `key` is null where none is told. */
function told(text) {
  let at = 0;
  return text.split("; ").map((piece) => {
    const head = /^([^:\n]{1,80}): /.exec(piece);
    const cell = { key: head?.[1] ?? null, start: at + (head?.[0].length ?? 0), end: at + piece.length };
    at += piece.length + 2;
    return cell;
  });
}

/**
 * Return rows of the form "name: a; year: 1921" as `{columns, rows}`, or null where they make no table.
 *
 * A row is a list of cells `{start, end}` in characters of its text, null where it has none. "b: c" inside a value looks
 * like a cell: what is told in one row only, where there are several, belongs to the cell before it.
 */
export function gridOf(texts) {
  if (texts.some((text) => text.includes("\n"))) return null;
  const rows = texts.map(told);
  const counts = new Map();
  for (const row of rows)
    for (const key of new Set(row.map((cell) => cell.key))) counts.set(key, (counts.get(key) ?? 0) + 1);
  const first = new Set(rows[0].map((cell) => cell.key));
  const columns = [...counts.keys()].filter(
    (key) => key !== null && (counts.get(key) > 1 || rows.length < 3 || first.has(key)),
  );
  if (columns.length < 2 || columns.length > MOST_COLUMNS) return null;
  const placed = rows.map((row, place) => {
    const cells = columns.map(() => null);
    let last = null;
    for (const { key, start, end } of row) {
      const column = key === null ? -1 : columns.indexOf(key);
      if (column >= 0 && !cells[column]) last = cells[column] = { start, end };
      else if (last) last.end = end;
      else return null;
    }
    return cells.map((cell) => cell && inPoints(texts[place], cell));
  });
  return placed.includes(null) ? null : { columns, rows: placed };
}

/** Return lines with `|` between their cells as `{header, rows}`, cells in characters of the text; null for no table. */
export function tableOf(text) {
  let at = 0;
  let rule = false;
  const rows = [];
  for (const line of text.split("\n")) {
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

function cellElement(cell) {
  const made = element("td", { dir: "auto" }, cell);
  if (made.textContent.length > 40) made.className = "long";
  return made;
}

/**
 * Return a table as an element.
 *
 * `columns` are texts or nodes, or null where there is no header; `rows` hold lists of nodes a cell. `name` is read out.
 */
export function tableElement(columns, rows, name) {
  return element(
    "div",
    { class: "scroll", role: "group", "aria-label": name, tabindex: "0" },
    element(
      "table",
      { class: "grid" },
      columns &&
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            columns.map((column) =>
              element(column === "" ? "td" : "th", column === "" ? {} : { scope: "col", dir: "auto" }, column),
            ),
          ),
        ),
      element(
        "tbody",
        {},
        rows.map((row) =>
          element(
            "tr",
            {},
            row.map((cell) => cellElement(cell)),
          ),
        ),
      ),
    ),
  );
}
