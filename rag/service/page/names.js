/** Uploads by the names that they came by, also in the words of an answer. */

import { length } from "./spans.js";

function uploads(answer) {
  const all = [...answer.citations, ...answer.passages].filter(({ label, source }) => label && label !== source);
  return new Map(all.map(({ label, source }) => [source.split("/").pop(), label]));
}

/** Return text with the names that uploads of an answer came by. */
export function renamed(answer, text) {
  for (const [stored, name] of uploads(answer)) text = text.replaceAll(stored, name);
  return text;
}

/** Return an answer that names uploads as they were called, its spans moved along; `sent` is the one to check. */
export function withNames(answer) {
  const edits = [];
  for (const [stored, name] of uploads(answer))
    for (let at = answer.answer.indexOf(stored); at >= 0; at = answer.answer.indexOf(stored, at + stored.length))
      edits.push({ start: length(answer.answer.slice(0, at)), end: length(answer.answer.slice(0, at + stored.length)), name });
  const notes = answer.notes.map((note) => renamed(answer, note));
  if (!edits.length) return { ...answer, notes };
  const moved = (offset) =>
    edits.reduce((sum, { start, end, name }) => sum + (end <= offset ? length(name) - (end - start) : 0), offset);
  const spans = (list) => list.map(([start, end]) => [moved(start), moved(end)]);
  return {
    ...answer,
    notes,
    answer: renamed(answer, answer.answer),
    citations: answer.citations.map((citation) => ({ ...citation, claims: spans(citation.claims) })),
    copied: answer.copied.map((part) => ({ ...part, start: moved(part.start), end: moved(part.end) })),
    unsupported: spans(answer.unsupported),
    written: spans(answer.written),
    code: spans(answer.code),
    sent: answer,
  };
}

/** Return an answer as the service sent it. */
export const asSent = (answer) => answer.sent ?? answer;
