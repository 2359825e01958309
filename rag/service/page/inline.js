/** Marks inside a paragraph of Markdown or reStructuredText: which characters are marks, and what they mean. */

import { element, shown } from "./elements.js";
import { length, pieces } from "./spans.js";

// Each: what to look for, the name of what stands inside, and which group that is. Lengths are bounded: time is linear.
const MARKDOWN = [
  [/^`{3,}[^\n`]*\n([^`]{1,4000}?)\n`{3,}[^\S\n]*$/gm, "code", 1],
  [/(`{1,3})(?!`)([^`]{1,500})\1(?!`)/g, "code", 2],
  [/!?\[([^[\]\n]{0,300})\](?:\((?:[^()\s]|\([^()\s]{0,200}\)){0,500}\)|\[[^[\]\n]{0,200}\])/g, "", 1],
  [/\*\*(?=\S)([^*\n]{1,500})(?<=\S)\*\*/g, "strong", 1],
  [/(?<![*\w])\*(?=[^\s*])([^*\n]{1,500})(?<=\S)\*(?![*\w])/g, "em", 1],
  [/(?<!\w)__(?=\S)([^_\n]{1,500})(?<=\S)__(?!\w)/g, "strong", 1],
  [/(?<!\w)_(?=[^\s_])([^_\n]{1,500})(?<=\S)_(?!\w)/g, "em", 1],
];
const REST = [
  [/``([^`]{1,500})``/g, "code", 1],
  [/:[a-z:-]{1,40}:`~?([^`<]{1,300})(?:\s<[^`<>]{1,300}>)?`/g, "code", 1],
  [/`([^`<]{1,300})\s<[^`<>]{1,1000}>`__?/g, "", 1],
  [/\*\*(?=\S)([^*\n]{1,500})(?<=\S)\*\*/g, "strong", 1],
  [/(?<![*\w])\*(?=[^\s*])([^*\n]{1,500})(?<=\S)\*(?![*\w])/g, "em", 1],
];
const ALONE = [/^\s{0,20}[-*+•]\s{1,9}([^\n]+)$/g, "", 1]; // an item of a list without the others needs no mark
const MARKS = { markdown: MARKDOWN, notebook: MARKDOWN, rst: REST };

const ENDINGS = { md: "markdown", markdown: "markdown", mdx: "markdown", ipynb: "notebook", rst: "rst", rest: "rst" };

/** Return the format that a source's name tells, "" for those without marks. */
export const formatOf = (source) => ENDINGS[/\.(\w+)$/.exec(source)?.[1].toLowerCase()] ?? "";

/**
 * Return the marks of a text as spans `{start, end, name}`: "gone" for the marks, "strong", "em" or "code" inside.
 *
 * Where one of the spans `kept` lies in a mark, in the address of a link, say, that mark stays to be seen.
 */
export function inlineMarks(text, format, kept = []) {
  const found = [];
  let rest = text;
  for (const [pattern, name, group] of [ALONE, ...(MARKS[format] ?? [])]) {
    for (const match of text.matchAll(pattern)) {
      const [first, last] = [match.index, match.index + match[0].length];
      if (rest.slice(first, last) !== match[0]) continue; // inside code, or torn by another mark
      const start = first + match[0].indexOf(match[group], match[0].startsWith("`") ? 1 : 0);
      const end = start + match[group].length;
      found.push([first, start, "gone"], [end, last, "gone"]);
      if (name) found.push([start, end, name]);
      const filler = name === "code" ? "\u0000".repeat(end - start) : rest.slice(start, end);
      rest =
        rest.slice(0, first) + "\u0000".repeat(start - first) + filler + "\u0000".repeat(last - end) + rest.slice(last);
    }
  }
  return found
    .filter(([start, end]) => start < end)
    .map(([start, end, name]) => ({ start: length(text.slice(0, start)), end: length(text.slice(0, end)), name }))
    .filter(({ start, end, name }) => name !== "gone" || !kept.some((span) => start <= span.start && span.end <= end));
}

/**
 * Return text as nodes, with the spans of it in elements of that name, unless they are all of it.
 *
 * Where it comes from a source of Markdown, say, what its marks mean is shown, and not the marks.
 */
export function marked(text, spans, name, source = "") {
  const total = length(text);
  const some = spans
    .filter(([start, end]) => end - start < total)
    .map(([start, end]) => ({ start, end, name: "span" }));
  return pieces(text, [...some, ...inlineMarks(text, formatOf(source), some)]).flatMap((piece) => {
    if (piece.names.includes("gone")) return [];
    let node = shown(piece.text);
    for (const each of ["code", "em", "strong"]) if (piece.names.includes(each)) node = element(each, {}, node);
    return [piece.names.includes("span") ? element(name, {}, node) : node];
  });
}
