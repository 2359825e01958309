/** The page: its two views, its look and its keys. Everything else has a file of its own. */

import { beginAnew, showAgain, startAsking, stop } from "./asking.js";
import { byId } from "./elements.js";
import { startHistory } from "./history.js";
import { startKeys } from "./keys.js";
import { chosenCollection, startLibrary } from "./library.js";
import { closeReader, step } from "./reader.js";
import { startUploads } from "./uploads.js";

const LOOK = "footnote.look";
const LOOKS = { auto: "as the system", light: "light", dark: "dark" };

function showView() {
  const name = location.hash === "#documents" ? "documents" : "ask";
  for (const each of ["ask", "documents"]) {
    byId(`${each}-view`).hidden = each !== name;
    const link = document.querySelector(`nav a[href="#${each}"]`);
    if (each === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = name === "ask" ? "Footnote" : "Documents – Footnote";
}

function go(view) {
  closeReader();
  if (location.hash === `#${view}`) showView();
  else location.hash = view;
}

function toQuestion() {
  go("ask");
  showView(); // at once: the event of the hash comes later, and a hidden field takes no focus
  byId("question").focus();
  byId("question").select();
}

function look(next) {
  const button = byId("look");
  document.documentElement.dataset.look = next;
  button.title = `Colours: ${LOOKS[next]}`;
  button.setAttribute("aria-label", button.title);
  localStorage.setItem(LOOK, next);
}

function startLook() {
  const names = Object.keys(LOOKS);
  const kept = localStorage.getItem(LOOK);
  look(names.includes(kept) ? kept : "auto");
  byId("look").addEventListener("click", () => {
    const now = names.indexOf(document.documentElement.dataset.look);
    look(names[(now + 1) % names.length]);
  });
}

function openNumber(key) {
  const notes = document.querySelectorAll("#ask-view:not([hidden]) .answer > .footnotes .open");
  notes[Number(key) - 1]?.click();
}

function clickIn(selector) {
  document.querySelector(selector)?.click();
}

byId("collection").addEventListener("change", beginAnew);
startLook();
startAsking(chosenCollection);
startHistory(showAgain);
startUploads(() => go("documents"));
startKeys(
  {
    "/": toQuestion,
    a: toQuestion,
    d: () => go("documents"),
    n: () => step(1),
    p: () => step(-1),
    v: () => clickIn('[data-key="v"]'),
    w: () => clickIn(".explained > summary"),
    "?": () => byId("keys").showModal(),
    number: openNumber,
  },
  () => closeReader() || stop(),
);
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  toQuestion();
});
byId("reader-close").addEventListener("click", closeReader);
byId("reader-back").addEventListener("click", () => step(-1));
byId("reader-on").addEventListener("click", () => step(1));
window.addEventListener("hashchange", () => {
  closeReader();
  showView();
});
showView();
startLibrary();
