/** An answer as it is read: what it says, what it quotes, how sure it is; or the closest evidence; or nothing. */

import { bodyOf, marked } from "./body.js";
import { counted, element, foreign, percent, placeOf, shown, unseen } from "./elements.js";
import { confirmedBy, explanation } from "./explained.js";
import { passageList, placeOfCitation, placeOfPassage } from "./places.js";
import { isFlowing, length, slice } from "./spans.js";

const NOTHING = "Nothing in these documents bears on this.";
const CLOSEST = "Not sure. The closest is:";

/**
 * Return the element that shows an answer, the closest evidence, or the nearest passages.
 *
 * `open(places, index, opener)` opens one of several places in the reader.
 */
export function answerCard(answer, open) {
  const card = element("article", { class: `answer ${answer.outcome}`, "aria-labelledby": "asked" });
  card.append(element("h2", { id: "asked" }, foreign(answer.question)));
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
  const others = isUnsure ? answer.passages.filter((passage) => !isQuoted(passage, answer)) : [];
  return [
    isUnsure && element("p", { class: "lead" }, CLOSEST),
    ...(isUnsure ? [element("div", { class: "evidence" }, body)] : body),
    confidence(answer),
    answer.unsupported.length > 0 &&
      element(
        "p",
        { class: "warning" },
        "What is underlined with a wavy line was written by the generator, and no passage bears it out.",
      ),
    ...about(answer),
    notes.hasChildNodes() && element("h3", {}, "Footnotes"),
    notes.hasChildNodes() && notes,
    also.hasChildNodes() && element("h3", {}, "See also"),
    also.hasChildNodes() && also,
    element("div", { class: "row" }, answer.citations.length > 0 && confirmedBy(answer, notes), copyButton(answer)),
    others.length > 0 && element("h3", {}, "The passages after it"),
    others.length > 0 && nearest(answer, others, open),
  ].filter(Boolean);
}

function isQuoted(passage, answer) {
  return answer.citations.some(
    (each) => each.document === passage.document && each.start < passage.end && passage.start < each.end,
  );
}

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
      isWanted(citation) ? [footnote(citation, (opener) => open(index, opener))] : [],
    ),
  );
}

function footnote(citation, open) {
  const trail = citation.headings.filter((heading) => heading !== citation.title);
  const title = element(
    "button",
    { class: "open", onclick: () => open(title) },
    unseen(`Open footnote ${citation.number}: `),
    element("span", { class: "name" }, foreign(citation.name)),
    trail.length > 0 && element("span", { class: "trail" }, foreign(trail.join(" › "))),
    element("span", { class: "place" }, placeOf(citation)),
  );
  return element(
    "li",
    { class: "footnote", value: citation.number, "data-number": citation.number },
    title,
    element(
      "blockquote",
      { dir: "auto", class: isFlowing(citation.quote) ? "" : "lines" },
      marked(citation.quote, citation.marks, "mark"),
    ),
  );
}

/** Return how sure the answer is. The words claim no more than the number does. */
function confidence(answer) {
  const sure = answer.confidence;
  const word =
    answer.outcome === "unsure" ? "Not sure" : sure >= 0.8 ? "Confident" : sure >= 0.5 ? "Fairly sure" : "Less sure";
  return element(
    "p",
    { class: "confidence" },
    bar(sure),
    element("strong", {}, `${word}, ${percent(sure)}`),
    element(
      "span",
      { class: "soft" },
      ` the `,
      foreign(answer.generator),
      answer.outcome === "unsure"
        ? " generator’s estimate that this answers the question: too little to call it an answer"
        : " generator’s estimate that this is right; the footnotes show what it rests on",
    ),
  );
}

function bar(share) {
  const inner = element("span", { class: share >= 0.8 ? "high" : share >= 0.5 ? "middle" : "low" });
  inner.style.inlineSize = percent(share); // through the object model, which the policy allows
  return element("span", { class: "bar", "aria-hidden": "true" }, inner);
}

function nothing(answer, open) {
  const best = `The best that was found has a confidence of ${percent(answer.confidence)}.`;
  return [
    element("p", { class: "text refusal" }, NOTHING),
    ...about(answer),
    element("p", { class: "soft" }, best),
    answer.passages.length > 0 && element("h3", {}, "The nearest passages"),
    nearest(answer, answer.passages, open),
  ].filter(Boolean);
}

function nearest(answer, passages, open) {
  const places = passages.map((passage) => placeOfPassage(answer.collection, passage));
  return passageList(passages, places, open);
}

/** Return an answer as plain text with its footnotes below. */
export function asText(answer) {
  const ends = answer.citations.map(({ claims }) => claims.map(([, end]) => end));
  const cuts = [...new Set([0, length(answer.answer), ...ends.flat()])].sort((one, other) => one - other);
  const text = cuts.slice(1).map((end, place) => {
    const marks = answer.citations.filter((_, index) => ends[index].includes(end)).map(({ number }) => ` [${number}]`);
    return slice(answer.answer, cuts[place], end) + marks.join("");
  });
  const notes = answer.citations.map((each) =>
    [
      `[${each.number}] ${each.name}, ${each.source}${placeOf(each) && `, ${placeOf(each)}`}`,
      `    ${each.quote.split(/\s+/).join(" ")}`,
    ].join("\n"),
  );
  const lead = answer.outcome === "unsure" ? [CLOSEST] : [];
  return [answer.question, "", ...lead, text.join(""), `confidence ${percent(answer.confidence)}`, "", ...notes].join("\n");
}

function copyButton(answer) {
  const button = element(
    "button",
    {
      class: "button quiet",
      onclick: async () => {
        const done = await navigator.clipboard.writeText(asText(answer)).then(
          () => "Copied",
          () => "Your browser did not allow it",
        );
        button.textContent = done;
        setTimeout(() => (button.textContent = "Copy with footnotes"), 2500);
      },
    },
    "Copy with footnotes",
  );
  return button;
}
