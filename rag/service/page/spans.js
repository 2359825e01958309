/**
 * Spans of text. The service counts in Unicode code points, JavaScript in UTF-16 units; they part at the first emoji.
 */

const PAIRS = /[\ud800-\udfff]/;

/** Return the length of `text` in code points. */
export function length(text) {
  if (!PAIRS.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Return a map from each offset in code points to the index in `text`; what lies outside is moved to the ends. */
function indexes(text, offsets) {
  const plain = !PAIRS.test(text);
  const found = new Map();
  let index = 0;
  let point = 0;
  for (const offset of [...offsets].sort((one, other) => one - other)) {
    if (plain) {
      found.set(offset, Math.min(Math.max(offset, 0), text.length));
      continue;
    }
    while (point < offset && index < text.length) {
      index += text.codePointAt(index) > 0xffff ? 2 : 1;
      point += 1;
    }
    found.set(offset, index);
  }
  return found;
}

/** Return the part of `text` from `start` to `end`, in code points. */
export function slice(text, start, end) {
  const at = indexes(text, [start, end]);
  return text.slice(at.get(start), at.get(end));
}

/**
 * Cut `text` wherever a span begins or ends.
 *
 * Returns the pieces in order, each `{start, end, text, names}`: offsets in code points, and the names of the spans
 * `{start, end, name}` that cover it. Spans may overlap, and may reach beyond the text.
 */
export function pieces(text, spans) {
  const total = length(text);
  const inside = spans
    .map((span) => ({ ...span, start: Math.max(span.start, 0), end: Math.min(span.end, total) }))
    .filter((span) => span.start < span.end);
  const cuts = [...new Set([0, total, ...inside.flatMap((span) => [span.start, span.end])])].sort((a, b) => a - b);
  const at = indexes(text, cuts);
  return cuts.slice(0, -1).map((start, place) => {
    const end = cuts[place + 1];
    const over = inside.filter((span) => span.start <= start && end <= span.end);
    return { start, end, text: text.slice(at.get(start), at.get(end)), names: over.map((span) => span.name) };
  });
}

const WRAPPED = [50, 140]; // how long, in characters, lines are that were wrapped to fit a page
const ITEM = /^\s*(?:[-*+•|>]|\d+[.)])\s/m;

/** Tell whether the line ends of `text` mean nothing, as in a wrapped paragraph; in lists, rows and verse they do. */
export function isFlowing(text) {
  const lengths = text.trimEnd().split("\n").map(length);
  if (lengths.length === 1) return true;
  const [shortest, longest] = WRAPPED;
  const inner = lengths.slice(1, -1); // the first may begin in the middle, and the last ends anywhere
  return (
    inner.every((each) => each >= shortest) &&
    lengths.some((each) => each >= shortest) &&
    lengths.every((each) => each <= longest) &&
    !ITEM.test(text)
  );
}
