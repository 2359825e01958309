/** An answer as it is read: what it says, what it quotes, how sure it is; or the closest evidence; or nothing. */

import { bodyOf } from "./body.js";
import { CLOSEST, copyMenu, NOTHING } from "./copying.js";
import { counted, element, foreign, percent } from "./elements.js";
import { confirmedBy, explanation } from "./explained.js";
import { marked } from "./inline.js";
import { opener, passageList, placeOfCitation, placeOfPassage, quoting } from "./places.js";
import { rowsInShort } from "./rows.js";
import { isFlowing } from "./spans.js";

const WAVY = "What is underlined with a wavy line was written by the generator, and no passage supports it.";

/**
 * Return the element that shows an answer, the closest evidence, or the nearest passages; its question stands above it.
 *
 * `open(places, index, opener)` opens one of several places in the reader.
 */
export function answerCard(answer, open) {
  const card = element("article", { class: `answer ${answer.outcome}` });
  if (answer.read_as) card.append(element("p", { class: "soft read-as" }, "read as: ", foreign(answer.read_as)));
  card.append(...(answer.outcome === "none" ? nothing(answer, open) : given(answer, open)));
  card.append(explanation(answer, open));
  return card;
}

/** Return in a few words what a question came to, as the list of earlier questions shows it. */
export function inShort(answer) {
  if (answer.outcome === "none") return NOTHING;
  return answer.outcome === "unsure" ? `Not sure: ${answer.answer}` : answer.answer;
}

/** Return what an answer or the closest evidence consists of. */
function given(answer, open) {
  const isUnsure = answer.outcome === "unsure";
  const places = answer.citations.map((citation) => placeOfCitation(answer, citation));
  const openNote = (index, opener) => open(places, index, opener);
  const notes = footnotes(answer, openNote, (citation) => citation.claims.length > 0);
  const also = footnotes(answer, openNote, (citation) => citation.claims.length === 0);
  also.style.counterReset = `note ${notes.childElementCount}`; // through the object model, which the policy allows
  const body = bodyOf(answer, openNote);
  const others = isUnsure ? answer.passages.filter((passage) => !quoting(answer, passage).length) : [];
  return [
    isUnsure && element("p", { class: "lead" }, CLOSEST),
    ...(isUnsure ? [element("div", { class: "evidence" }, body)] : body),
    confidence(answer),
    answer.unsupported.length > 0 && element("p", { class: "warning" }, WAVY),
    ...about(answer),
    ...titled("Footnotes", notes),
    ...titled("See also", also),
    element("div", { class: "row acts" }, answer.citations.length > 0 && confirmedBy(answer, notes), copyMenu(answer)),
    ...titled("The passages after it", nearest(answer, others, open)),
  ].filter(Boolean);
}

/** Return a list under its heading; nothing where it is empty. */
const titled = (heading, list) => (list.hasChildNodes() ? [element("h3", {}, heading), list] : []);

/** Return what a person should know beside the answer. */
function about(answer) {
  return [
    answer.documents > 0 && element("p", { class: "soft" }, `Looked at ${counted(answer.documents, "document")}.`),
    answer.outcome !== "answer" && answer.meant && element("p", {}, "Did you mean: ", foreign(answer.meant)),
    ...answer.notes.map((note) => element("p", { class: "soft note" }, foreign(note))),
  ].filter(Boolean);
}

function footnotes(answer, open, isWanted) {
  return element(
    "ol",
    { class: "footnotes" },
    answer.citations.flatMap((citation, index) =>
      isWanted(citation) ? [footnote(answer, citation, (opener) => open(index, opener))] : [],
    ),
  );
}

function footnote(answer, citation, open) {
  const title = opener(`Open footnote ${citation.number}: `, citation, citation.headings, () => open(title));
  const { number } = citation;
  return element("li", { class: "footnote", value: number, "data-number": number }, title, quotation(answer, citation));
}

/** Return what a footnote quotes; of wide rows the cells that matter, with the rest behind a button. */
function quotation(answer, { quote, marks, kind, header, source }) {
  const isRow = kind === "row" || kind === "table";
  const rows = isRow ? rowsInShort(quote, marks, answer.question, { header, source, mark: "mark" }) : null;
  if (rows) return element("blockquote", {}, rows);
  return element(
    "blockquote",
    { dir: "auto", class: isFlowing(quote) ? "" : "lines" },
    marked(quote, marks, "mark", source),
  );
}

/** Return how sure the answer is. The words claim no more than the number does. */
function confidence(answer) {
  const sure = answer.confidence;
  const word = sure >= 0.8 ? "Confident," : sure >= 0.5 ? "Fairly sure," : "Less sure,";
  const words = `${answer.outcome === "unsure" ? "Confidence" : word} ${percent(sure)}`;
  return element("p", { class: "confidence" }, bar(sure), element("span", {}, words));
}

function bar(share) {
  const inner = element("span", { class: share >= 0.8 ? "high" : share >= 0.5 ? "middle" : "low" });
  inner.style.inlineSize = percent(share); // through the object model, which the policy allows
  return element("span", { class: "bar", "aria-hidden": "true" }, inner);
}

function nothing(answer, open) {
  return [
    element("p", { class: "text refusal" }, NOTHING),
    ...about(answer),
    ...titled("The nearest passages", nearest(answer, answer.passages, open)),
    element("div", { class: "row acts" }, copyMenu(answer)),
  ].filter(Boolean);
}

function nearest(answer, passages, open) {
  const places = passages.map((passage) => placeOfPassage(answer.collection, passage));
  return passageList(passages, places, open, answer.question);
}
