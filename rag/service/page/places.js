/** Places in documents: where a footnote or a passage stands, as the reader takes it; and passages as a list. */

import { counted, element, foreign, placeOf, unseen } from "./elements.js";
import { marked } from "./inline.js";
import { rowsInShort } from "./rows.js";
import { isFlowing, length, slice } from "./spans.js";

/** Return where a footnote points to, as the reader takes it. */
export function placeOfCitation(answer, citation) {
  return {
    ...citation,
    kind: "note", // of place: what the quote begins in is not needed here
    collection: answer.collection,
    caption: `Footnote ${citation.number}`,
    trail: citation.headings.length ? citation.headings : [citation.title].filter(Boolean),
  };
}

/** Return where a passage was found, as the reader takes it. */
export function placeOfPassage(collection, passage) {
  return {
    ...passage,
    kind: "passage",
    number: passage.rank,
    collection,
    caption: `Passage ${passage.rank}`,
    trail: passage.context ? passage.context.split(" > ") : [],
    quote: passage.text,
    marks: [],
  };
}

/** Return the footnotes that quote some of a passage. */
export const quoting = ({ citations }, { document, start, end }) =>
  citations.filter((each) => each.document === document && each.start < end && start < each.end);

/** Return the button that opens a place: its document, the headings above it that say more, and where it is in there. */
export function opener(lead, place, headings, onclick) {
  const trail = headings.filter((heading) => heading && ![place.title, place.page_name].includes(heading));
  return element(
    "button",
    { class: "open", onclick },
    unseen(lead),
    element("span", { class: "name" }, foreign(place.name)),
    trail.length > 0 && element("span", { class: "trail" }, foreign(trail.join(" › "))),
    element("span", { class: "place" }, placeOf(place)),
  );
}

/** Return passages as a list, each of which opens in its document; of wide rows the cells that fit the question. */
export function passageList(passages, places, open, question) {
  return element(
    "ol",
    { class: "footnotes passages" },
    passages.map((passage, index) => {
      const title = opener(`Open passage ${passage.rank}: `, passage, passage.context.split(" > "), () =>
        open(places, index, title),
      );
      const text = quotation(passage, question);
      const others = `Nearly the same stands in ${counted(passage.also_in.length, "other document")}.`;
      const also = passage.also_in.length > 0 && element("p", { class: "soft" }, others);
      return element("li", { class: "footnote" }, title, text, also);
    }),
  );
}

function quotation(passage, question) {
  const rows = rowsOf(passage, question);
  if (rows) return element("blockquote", {}, rows);
  if (passage.excerpt?.length) return element("blockquote", { dir: "auto" }, excerpt(passage));
  return element("blockquote", { class: length(passage.text) > 420 ? "cut" : "" }, paragraphs(passage.text, passage.source));
}

/** Return a passage of wide rows in short, null for any other; the headings above its rows stand beside its name. */
function rowsOf(passage, question) {
  const text = passage.text.replace(/^(?:[^\n:;]{1,120}\n\s*\n)+/, "");
  return rowsInShort(text, [], question);
}

/** Return the parts of a passage that fit the question, with its words marked. */
function excerpt(passage) {
  const total = length(passage.text);
  const [first, last] = [passage.excerpt[0][0], passage.excerpt.at(-1)[1]];
  const parts = passage.excerpt.flatMap(([start, end], place) => {
    const words = passage.matches
      .filter(([from, to]) => start <= from && to <= end)
      .map(([from, to]) => [from - start, to - start]);
    const gap = place === 0 ? "" : slice(passage.text, passage.excerpt[place - 1][1], start).trim() ? " … " : " ";
    return [gap, ...marked(slice(passage.text, start, end), words, "strong", passage.source)];
  });
  return [first > 0 && "… ", ...parts, last < total && " …"];
}

/** Return text as paragraphs, headings told apart where they are marked. */
function paragraphs(text, source) {
  return text.split(/\n\s*\n/).map((part) => {
    const [, hashes, rest] = /^\s{0,3}(#{1,6} )?([^]*)$/.exec(part);
    return element(
      "p",
      { dir: "auto", class: hashes ? "head" : isFlowing(rest) ? "" : "lines" },
      marked(rest, [], "mark", source),
    );
  });
}
