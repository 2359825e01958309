/** Earlier questions, kept in this browser and nowhere else. */

import { inShort } from "./answer.js";
import { byId, confirmed, element, foreign } from "./elements.js";

const PAST = "footnote.past";
const KEEP = "footnote.keep";
const MOST = 50;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
let choose = () => {};

/** Show the list; `chosen(entry)` is called with the entry `{key, answers}` that a person wants to see again. */
export function startHistory(chosen) {
  choose = chosen;
  const keep = byId("keep");
  keep.checked = keeping();
  keep.addEventListener("change", () => {
    localStorage.setItem(KEEP, keep.checked ? "yes" : "no");
    if (!keep.checked) localStorage.removeItem(PAST);
    draw();
  });
  byId("forget").addEventListener("click", async () => {
    if (
      !(await confirmed(
        "Forget all earlier questions?",
        "They are kept in this browser only, and cannot be brought back.",
        "Forget",
      ))
    )
      return;
    localStorage.removeItem(PAST);
    draw();
  });
  window.addEventListener("storage", draw); // another tab has asked
  draw();
}

const keeping = () => localStorage.getItem(KEEP) !== "no";

function past() {
  try {
    const kept = JSON.parse(localStorage.getItem(PAST) ?? "[]");
    return Array.isArray(kept) ? kept.map(asNow).filter(isWhole) : [];
  } catch {
    return [];
  }
}

/** Return an entry with what earlier versions of this page did not keep. */
function asNow(entry) {
  const answers = entry?.answers ?? (entry?.answer ? [entry.answer] : []);
  if (!Array.isArray(answers)) return null;
  const lists = { documents: 0, notes: [], copied: [], written: [], code: [], form: "fact", read_as: "" };
  const whole = answers.map((answer) => ({ outcome: answer?.answered ? "answer" : "none", ...lists, ...answer }));
  const plain = JSON.stringify([
    [],
    whole[0]?.question,
    { collections: [whole[0]?.collection], filters: [], document: "", folder: "", k: "", maxError: "", generator: "" },
  ]);
  return { at: entry?.at, key: isKey(entry?.key) ? entry.key : plain, answers: whole };
}

/** Tell whether a key says what was asked before a question, the question, and how it was asked. */
function isKey(key) {
  try {
    const [before, question, how] = JSON.parse(key);
    const texts = (list) => Array.isArray(list) && list.every((each) => typeof each === "string");
    return texts(before) && typeof question === "string" && texts(how.collections) && texts(how.filters);
  } catch {
    return false;
  }
}

/** Tell whether an entry can be shown: another version of this page, or a person, may have written it. */
function isWhole(entry) {
  return Number.isFinite(entry?.at) && entry.answers.length > 0 && entry.answers.every(isAnswer);
}

function isAnswer(answer) {
  const texts = [answer.question, answer.answer, answer.collection, answer.generator];
  const lists = [answer.citations, answer.passages, answer.unsupported];
  return texts.every((text) => typeof text === "string") && lists.every(Array.isArray);
}

/** Return what was answered to a question that is kept under this key, or undefined. */
export const recalled = (key) => past().find((entry) => entry.key === key);

/** Keep answers, the newest first; the oldest go where the browser's room is spent. */
export function remember(key, answers) {
  if (keeping()) {
    const entries = [{ at: Date.now(), key, answers }, ...past().filter((entry) => entry.key !== key)].slice(0, MOST);
    while (!kept(entries) && entries.length) entries.pop();
  }
  draw();
}

function kept(entries) {
  try {
    localStorage.setItem(PAST, JSON.stringify(entries));
    return true;
  } catch {
    return false;
  }
}

function forget(key) {
  kept(past().filter((entry) => entry.key !== key));
  draw();
}

function draw() {
  const entries = past();
  byId("past").hidden = entries.length === 0 && keeping();
  byId("forget").hidden = entries.length === 0;
  byId("hints").hidden = entries.length > 0;
  byId("past-list").replaceChildren(
    ...entries.map((entry) =>
      element(
        "li",
        {},
        element(
          "button",
          { class: "earlier", type: "button", onclick: () => choose(entry) },
          element("span", { class: "name" }, foreign(entry.answers[0].question)),
          element("span", { class: "soft" }, foreign(inShort(entry.answers[0]))),
          element("span", { class: "place" }, foreign(entry.answers[0].collection), `, ${ago(entry.at)}`),
        ),
        element(
          "button",
          {
            class: "remove",
            type: "button",
            onclick: () => forget(entry.key),
            "aria-label": "Forget this question",
            title: "Forget",
          },
          "×",
        ),
      ),
    ),
  );
}

/** Return how long ago something was, in words. */
export function ago(at) {
  const minutes = Math.round((at - Date.now()) / 60_000);
  if (minutes > -60) return relative.format(Math.min(minutes, 0), "minute");
  if (minutes > -60 * 24) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / (60 * 24)), "day");
}
