/** What stands behind an answer, shown when a person asks: whether its footnotes hold, and how they were found. */

import { element, foreign, percent, placeOf, press, shown, told, unseen } from "./elements.js";
import { placeOfPassage, quoting } from "./places.js";
import { request } from "./service.js";
import { tableElement } from "./tables.js";

/** Return the button that has each footnote checked against its source, and shows beside each what became of it. */
export function confirmedBy(answer, notes) {
  const result = element("span", { class: "checked", role: "status" });
  const button = element("button", { class: "button quiet", "data-key": "v" }, "Check the footnotes");
  button.addEventListener("click", async () => {
    button.disabled = true;
    result.textContent = "Reading the sources again…";
    try {
      const { passages, texts, ...claimed } = answer; // they are long, and nothing of them is checked
      const checked = await request("POST", "v1/verify", claimed);
      for (const check of checked.citations) showCheck(notes, check);
      const wrong = checked.citations.filter((check) => !check.holds).length;
      result.textContent = wrong
        ? `${wrong} of ${checked.citations.length} do not hold`
        : checked.holds
          ? shown(`${checked.proves[0].toUpperCase()}${checked.proves.slice(1)}.`)
          : `Does not hold: ${shown(checked.reason)}`;
      result.classList.toggle("fails", !checked.holds);
    } catch (error) {
      result.replaceChildren(told(error));
    } finally {
      button.disabled = false;
    }
  });
  return [button, result];
}

function showCheck(notes, check) {
  const note = notes.querySelector(`[data-number="${Number(check.number)}"]`);
  note?.querySelector(".check")?.remove();
  const words = check.holds
    ? "✓ Its source was read again: the quotation stands there, byte for byte."
    : `✗ Does not hold: ${shown(check.reason)}`;
  note?.append(element("p", { class: check.holds ? "check" : "check fails" }, words));
}

const ESTIMATE = {
  answer: () => "The confidence is the generator’s estimate that this is right; the footnotes show what it rests on.",
  unsure: () =>
    "The confidence is the generator’s estimate that this answers the question: too little to call it an answer.",
  none: (sure) => `The best that was found has a confidence of ${sure}.`,
};

/** Return what was read and why, closed until it is asked for. */
export function explanation(answer, open) {
  const places = answer.passages.map((passage) => placeOfPassage(answer.collection, passage));
  const total = Object.values(answer.timings_ms).reduce((sum, ms) => sum + ms, 0);
  return element(
    "details",
    { class: "explained" },
    element("summary", {}, "How this was found"),
    element(
      "p",
      {},
      "The question was compared with every passage twice: by ",
      element("strong", {}, "meaning"),
      " (how close it lies to the question) and by ",
      element("strong", {}, "words"),
      " (how rare the words are that both share). The best of both were read",
      answer.outcome === "answer" ? ", and the answer was taken from them." : ".",
    ),
    answer.passages.length > 0 && table(answer, places, open),
    element("p", { class: "soft" }, ESTIMATE[answer.outcome](percent(answer.confidence))),
    element(
      "p",
      { class: "soft" },
      "Generator ",
      foreign(answer.generator),
      ", collection ",
      foreign(answer.collection),
      ` in its state ${answer.generation}; ${seconds(total)}: `,
      Object.entries(answer.timings_ms)
        .map(([stage, ms]) => `${stage} ${Math.round(ms)} ms`)
        .join(", "),
      ".",
    ),
  );
}

const seconds = (ms) => `${(ms / 1000).toFixed(ms < 1000 ? 2 : 1)} s`;

function table(answer, places, open) {
  const arm = (found) =>
    found === undefined || found === null || found.rank === null
      ? ["–", unseen("not found")]
      : [`${found.rank}. `, element("small", { class: "soft" }, found.score.toFixed(2))];
  const rows = answer.passages.map((passage, index) => {
    const place = placeOf(passage) && `, ${placeOf(passage)}`;
    const button = press("link", [foreign(passage.name), place], () => open(places, index, button));
    const { dense, words, matched = [] } = passage.explain ?? {};
    const marks = quoting(answer, passage).map((each) => `[${each.number}] `);
    return [button, arm(dense), arm(words), foreign(matched.join(", ")), marks];
  });
  const columns = ["Passage", "By meaning", "By words", "Words shared", "Cited"];
  return tableElement(columns, rows, "The passages that were read, best first");
}
