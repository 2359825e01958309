/** Earlier questions, kept in this browser and nowhere else. */

import { inShort } from "./answer.js";
import { byId, confirmed, element, foreign } from "./elements.js";

const PAST = "footnote.past";
const KEEP = "footnote.keep";
const MOST = 50;

const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
let choose = () => {};

/** Show the list; `chosen(answer)` is called with an answer that a person wants to see again. */
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
    return Array.isArray(kept) ? kept.filter(isWhole).map(asNow) : [];
  } catch {
    return [];
  }
}

/** Tell whether an entry can be shown: another version of this page, or a person, may have written it. */
function isWhole(entry) {
  const answer = entry?.answer;
  const texts = [answer?.question, answer?.answer, answer?.collection, answer?.generator];
  const lists = [answer?.citations, answer?.passages, answer?.unsupported];
  return Number.isFinite(entry?.at) && texts.every((text) => typeof text === "string") && lists.every(Array.isArray);
}

/** Return an entry with what earlier versions of this page did not keep. */
function asNow({ at, answer }) {
  const outcome = answer.answered ? "answer" : "none";
  const added = { outcome, form: "fact", read_as: "", documents: 0, notes: [], copied: [], written: [], code: [] };
  return { at, answer: { ...added, ...answer } };
}

/** Keep an answer, the newest first; the oldest go where the browser's room is spent. */
export function remember(answer) {
  if (!keeping()) return;
  const same = (entry) => entry.answer.question === answer.question && entry.answer.collection === answer.collection;
  const entries = [{ at: Date.now(), answer }, ...past().filter((entry) => !same(entry))].slice(0, MOST);
  while (!kept(entries) && entries.length) entries.pop();
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

function forget(at) {
  kept(past().filter((entry) => entry.at !== at));
  draw();
}

function draw() {
  const entries = past();
  byId("past").hidden = entries.length === 0 && keeping();
  byId("forget").hidden = entries.length === 0;
  byId("hints").hidden = entries.length > 0 || byId("result").hasChildNodes();
  byId("past-list").replaceChildren(
    ...entries.map(({ at, answer }) =>
      element(
        "li",
        {},
        element(
          "button",
          { class: "earlier", onclick: () => choose(answer) },
          element("span", { class: "name" }, foreign(answer.question)),
          element("span", { class: "soft" }, foreign(inShort(answer))),
          element("span", { class: "place" }, foreign(answer.collection), `, ${since(at)}`),
        ),
        element(
          "button",
          { class: "remove", onclick: () => forget(at), "aria-label": "Forget this question", title: "Forget" },
          "×",
        ),
      ),
    ),
  );
}

function since(at) {
  const minutes = Math.round((at - Date.now()) / 60_000);
  if (minutes > -60) return ago.format(Math.min(minutes, 0), "minute");
  if (minutes > -60 * 24) return ago.format(Math.round(minutes / 60), "hour");
  return ago.format(Math.round(minutes / (60 * 24)), "day");
}
