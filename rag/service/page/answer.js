/** An answer as it is read: its text with footnotes, what they quote, how sure it is; or the refusal. */

import { element, foreign, percent, placeOf, shown, unseen } from "./elements.js";
import { confirmedBy, explanation } from "./explained.js";
import { passageList, placeOfCitation, placeOfPassage } from "./places.js";
import { isFlowing, length, pieces, slice } from "./spans.js";

/**
 * Return the element that shows an answer, or a refusal with the nearest passages.
 *
 * `open(places, index, opener)` opens one of several places in the reader.
 */
export function answerCard(answer, open) {
  const card = element("article", { class: "answer", "aria-labelledby": "asked" });
  card.append(element("h2", { id: "asked" }, foreign(answer.question)));
  card.append(...(answer.answered ? given(answer, open) : refused(answer, open)));
  card.append(explanation(answer, open));
  return card;
}

function given(answer, open) {
  const places = answer.citations.map((citation) => placeOfCitation(answer, citation));
  const notes = element(
    "ol",
    { class: "footnotes" },
    answer.citations.map((citation, index) => footnote(citation, (opener) => open(places, index, opener))),
  );
  const text = element(
    "p",
    { class: "text", dir: "auto" },
    answerText(answer, (index, opener) => open(places, index, opener)),
  );
  return [
    text,
    confidence(answer),
    answer.unsupported.length > 0 &&
      element(
        "p",
        { class: "warning" },
        "What is underlined with a wavy line was written by the generator, and no passage bears it out.",
      ),
    answer.citations.length > 0 && element("h3", {}, "Footnotes"),
    answer.citations.length > 0 && notes,
    element("div", { class: "row" }, answer.citations.length > 0 && confirmedBy(answer, notes), copyButton(answer)),
  ].filter(Boolean);
}

/** Return the answer's text as nodes, with a mark for each footnote after the words that it bears out. */
function answerText(answer, open) {
  const total = length(answer.answer);
  const ends = answer.citations.map(
    (citation) => new Set(citation.claims.length ? citation.claims.map(([, end]) => end) : [total]),
  );
  const spans = [
    ...answer.unsupported.map(([start, end]) => ({ start, end, name: "bare" })),
    ...ends.flatMap((places) => [...places].map((end) => ({ start: 0, end, name: "claim" }))), // cuts at each end
  ];
  return pieces(answer.answer, spans).flatMap((piece) => {
    const bare = piece.names.includes("bare");
    const words = bare
      ? element("span", { class: "bare" }, shown(piece.text), unseen(" (not borne out by the documents) "))
      : shown(piece.text);
    const marks = answer.citations.flatMap((citation, index) =>
      ends[index].has(piece.end) ? [reference(citation, (opener) => open(index, opener))] : [],
    );
    return [words, ...marks];
  });
}

function reference(citation, open) {
  const label = `Footnote ${citation.number}: ${shown(citation.name)}, ${placeOf(citation)}`;
  const attributes = { class: "reference", "aria-label": label, title: label, onclick: () => open(button) };
  const button = element("button", attributes, String(citation.number));
  return button;
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
      quoted(citation.quote, citation.marks),
    ),
  );
}

/** Return a quotation as nodes, with the words that the answer copied marked. */
export function quoted(quote, marks) {
  return pieces(
    quote,
    marks.map(([start, end]) => ({ start, end, name: "copied" })),
  ).map((piece) => (piece.names.length ? element("mark", { class: "copied" }, shown(piece.text)) : shown(piece.text)));
}

/** Return how sure the answer is. The words claim no more than the number does. */
function confidence(answer) {
  const sure = answer.confidence;
  const word = sure >= 0.8 ? "Confident" : sure >= 0.5 ? "Fairly sure" : "Unsure";
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
      ` generator’s estimate that this is right; the footnotes show what it rests on`,
    ),
  );
}

function bar(share) {
  const inner = element("span", { class: share >= 0.8 ? "high" : share >= 0.5 ? "middle" : "low" });
  inner.style.inlineSize = percent(share); // through the object model, which the policy allows
  return element("span", { class: "bar", "aria-hidden": "true" }, inner);
}

function refused(answer, open) {
  const places = answer.passages.map((passage) => placeOfPassage(answer.collection, passage));
  const best = `The best that was found has a confidence of ${percent(answer.confidence)}, too little to give it.`;
  return [
    element("p", { class: "text refusal" }, "Not in these documents."),
    answer.meant && element("p", {}, "Did you mean: ", foreign(answer.meant)),
    element("p", { class: "soft" }, "Nothing in “", foreign(answer.collection), "” answers this well enough. ", best),
    answer.passages.length > 0 && element("h3", {}, "The nearest passages"),
    passageList(answer.passages, places, open),
  ].filter(Boolean);
}

/** Return an answer as plain text with its footnotes below. */
export function asText(answer) {
  const total = length(answer.answer);
  const ends = answer.citations.map((citation) =>
    citation.claims.length ? citation.claims.map(([, end]) => end) : [total],
  );
  const cuts = [...new Set([0, total, ...ends.flat()])].sort((one, other) => one - other);
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
  return [answer.question, "", text.join(""), `confidence ${percent(answer.confidence)}`, "", ...notes].join("\n");
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
