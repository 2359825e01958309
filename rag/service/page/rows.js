/** Rows of many cells in short: the key that tells which row it is and the cells that answer, the rest behind a button. */

import { element, shown } from "./elements.js";
import { marked } from "./inline.js";
import { length, slice } from "./spans.js";
import { gridOf, recordElement, tableElement, tableOf } from "./tables.js";

const FEW = 4; // cells that are shown all
const LONG = 300; // characters of a row that is not short, however few its cells
const MOST_ROWS = 3; // of a passage
const NO_KEY = /^[-+$€£]?\s?[\d.,:/\s-]*%?$/; // a number or a date names no row
const SAYS_NOTHING = new Set(
  "the and for are was were what which who whom when where why how much many does did has have had this that with from there their".split(
    " ",
  ),
);

/** Return the rows that a text consists of as `{names, rows}`, cells in characters of the text; null for no rows. */
function recordsOf(text, header = "") {
  const lines = [];
  let at = 0;
  for (const line of text.split("\n")) {
    if (line.trim()) lines.push({ line, at });
    at += length(line) + 1;
  }
  if (!lines.length) return null;
  const grid = gridOf(lines.map(({ line }) => line));
  if (grid) {
    const moved = (cell, by) => cell && { start: cell.start + by, end: cell.end + by };
    return { names: grid.columns, rows: grid.rows.map((row, place) => row.map((cell) => moved(cell, lines[place].at))) };
  }
  const table = tableOf(text);
  if (!table) return null;
  const head = header ? tableOf(`${header}\n`)?.rows[0] : null;
  const names = head?.map(({ start, end }) => slice(header, start, end));
  const own = table.header?.map(({ start, end }) => slice(text, start, end));
  const rows = table.header && head ? [table.header, ...table.rows] : table.rows;
  return { names: names ?? own ?? null, rows };
}

const NOTHING = { text: "", start: -1, isMarked: false, node: () => "" };

const wordsOf = (text) =>
  (text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []).filter((word) => !SAYS_NOTHING.has(word));

/** Tell whether two words are forms of one: "mended", "mending". */
function areAlike(one, other) {
  if (/\d/.test(one + other)) return one === other;
  const shortest = Math.min(one.length, other.length);
  const same = Math.max(Math.min(shortest, 4), shortest - 2);
  return one.slice(0, same) === other.slice(0, same) && Math.abs(one.length - other.length) < 5;
}

const shares = (text, asked) => wordsOf(text).some((word) => asked.some((each) => areAlike(word, each)));

/** Return the columns that name the row, are marked, or share a word with the question; all where there are few. */
function mattering(names, rows, question) {
  const columns = names.map((_, column) => column);
  const size = Math.max(...rows.map((row) => row.reduce((sum, cell) => sum + cell.text.length, 0)));
  if (columns.length <= (size < LONG ? FEW : 2)) return columns;
  const asked = wordsOf(question);
  const some = (column, holds) => rows.some((row) => row[column].text && holds(row[column]));
  const marked = columns.filter((column) => some(column, (cell) => cell.isMarked));
  const exact = columns.filter((column) => some(column, (cell) => wordsOf(cell.text).some((word) => asked.includes(word))));
  const told = exact.length ? exact : columns.filter((column) => some(column, (cell) => shares(cell.text, asked)));
  const headed = marked.length ? [] : columns.filter((column) => shares(names[column], asked));
  const isKey = (column) => rows.every((row) => !NO_KEY.test(row[column].text)) && !marked.includes(column);
  const wanted = new Set([columns.find(isKey) ?? 0, ...marked, ...[...told, ...headed].slice(0, FEW - 1)]);
  const kept = columns.filter((column) => wanted.has(column) && some(column, () => true));
  if (kept.length < 2) return columns.slice(0, FEW);
  return kept.length + 1 < columns.length ? kept : columns;
}

/**
 * Return the rows of a quotation or a passage as `{names, rows, kept, isShort}`, null where it is something else.
 *
 * A cell is `{text, start, isMarked, node()}`; `kept` are the columns that matter, `isShort` where others are left out.
 * `marks` are shown in elements of the name `mark`; `header` is the first line of the table that lines with `|` are from.
 */
export function rowsOf(text, marks, question, { header = "", source = "", mark = "strong" } = {}) {
  const found = recordsOf(text, header);
  if (!found) return null;
  const names = found.names && [...found.names];
  const isAll = marks.reduce((sum, [start, end]) => sum + end - start, 0) >= 0.9 * length(text); // tells nothing of cells
  const rows = found.rows.map((row) =>
    row.map((cell) => {
      if (!cell) return NOTHING;
      const words = slice(text, cell.start, cell.end);
      const spans = (isAll ? [] : marks)
        .map(([start, end]) => [start - cell.start, end - cell.start])
        .filter(([start, end]) => start < cell.end - cell.start && end > 0);
      const isWhole = spans.some(([start, end]) => start <= 0 && end >= cell.end - cell.start);
      const node = () => (isWhole ? element(mark, {}, shown(words)) : marked(words, spans, mark, source));
      return { text: words, start: cell.start, isMarked: spans.length > 0, node };
    }),
  );
  const wide = Math.max(names?.length ?? 0, ...rows.map((row) => row.length));
  for (const list of [...rows, ...(names ? [names] : [])])
    while (list.length < wide) list.push(list === names ? "" : NOTHING);
  const all = rows[0].map((_, column) => column);
  const kept = names ? mattering(names, rows, question) : all;
  return { names, rows, kept, isShort: kept.length < all.length };
}

/** Return some columns of rows as a table, one wide row as cells beside their headers; `notes` stand behind the rows. */
export function rowsTable({ names, rows }, columns, label, notes = null) {
  const nodes = rows.map((row) => columns.map((column) => row[column].node()));
  const heads = names && columns.map((column) => shown(names[column]));
  if (rows.length > 1 || !(names?.length > FEW))
    return tableElement(heads && [...heads, ...(notes ? [""] : [])], notes ? nodes.map((row, at) => [...row, notes[at]]) : nodes, label);
  const pairs = heads.map((head, at) => [head, nodes[0][at]]).filter(([, cell]) => cell !== "");
  return recordElement(pairs, label, notes?.[0]);
}

/** Return what holds rows with all their cells, closed until a person asks for it. */
export function wholeRows(found) {
  const label = found.rows.length === 1 ? "Whole row" : "Whole rows";
  const table = rowsTable(found, [...found.names.keys()], label);
  return element("details", { class: "whole" }, element("summary", {}, label), table);
}

/** Return a quotation or a passage of wide rows in short, those that fit the question best; null for any other. */
export function rowsInShort(text, marks, question, how = {}) {
  const found = rowsOf(text, marks, question, how);
  if (!found?.isShort) return null;
  const { names, rows, kept } = found;
  const asked = wordsOf(question);
  const score = (row) => row.filter((cell) => cell.isMarked || shares(cell.text, asked)).length;
  const sorted = [...rows].sort((one, other) => score(other) - score(one));
  const best = sorted.filter((row) => score(row) || !score(sorted[0])).slice(0, MOST_ROWS);
  const cell = (row, column) => {
    const head = names[column] && element("span", { class: "soft" }, `${shown(names[column])}: `);
    return [element("span", { class: "cell" }, head, row[column].node()), " "];
  };
  const cells = (row) => kept.filter((column) => row[column].text).map((column) => cell(row, column));
  const lines = rows
    .filter((row) => best.includes(row))
    .map((row) => element("p", { class: "cells", dir: "auto" }, cells(row)));
  return [...lines, wholeRows(found)];
}
