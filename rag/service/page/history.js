/** Earlier questions, kept in this browser and nowhere else. */

import { inShort } from "./answer.js";
import { byId, confirmed, element, foreign, press, removal } from "./elements.js";

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
    const detail = "They are kept in this browser only, and cannot be brought back.";
    if (!(await confirmed("Forget all earlier questions?", detail, "Forget"))) return;
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
    return Array.isArray(kept) ? kept.filter(isWhole) : [];
  } catch {
    return [];
  }
}

const areTexts = (list) => Array.isArray(list) && list.every((each) => typeof each === "string");

/** Tell whether an entry can be shown: another version of this page, or a person, may have written it. */
function isWhole(entry) {
  try {
    const [before, question, how] = JSON.parse(entry.key); // what was asked before, the question, and how it was asked
    const isKey = areTexts([...before, question, ...how.collections, ...how.filters]);
    return isKey && Number.isFinite(entry.at) && entry.answers.length > 0 && entry.answers.every(isAnswer);
  } catch {
    return false;
  }
}

function isAnswer(answer) {
  const lists = ["citations", "passages", "unsupported", "copied", "written", "code", "notes"];
  const texts = [answer.question, answer.answer, answer.outcome, answer.collection, answer.generator];
  return areTexts(texts) && lists.every((name) => Array.isArray(answer[name]));
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
    ...entries.map((entry) => {
      const [first] = entry.answers;
      const words = [
        element("span", { class: "name" }, foreign(first.question)),
        element("span", { class: "soft" }, foreign(inShort(first))),
        element("span", { class: "place" }, foreign(first.collection), `, ${ago(entry.at)}`),
      ];
      const open = press("earlier", words, () => choose(entry));
      return element("li", {}, open, removal("Forget", "Forget this question", () => forget(entry.key)));
    }),
  );
}

/** Return how long ago something was, in words. */
export function ago(at) {
  const minutes = Math.round((at - Date.now()) / 60_000);
  if (minutes > -60) return relative.format(Math.min(minutes, 0), "minute");
  if (minutes > -60 * 24) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / (60 * 24)), "day");
}
