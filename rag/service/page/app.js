/** The page: its two views, its look, its keys and its addresses. Everything else has a file of its own. */

import { readAddress, showAddress } from "./address.js";
import {
  beginAnew,
  conversation,
  currentTurn,
  followAddress,
  forgetConversation,
  showEarlier,
  startAsking,
  stop,
} from "./asking.js";
import { openListed } from "./documents.js";
import { byId } from "./elements.js";
import { onAskInFolder, onReading, watchFolders } from "./folders.js";
import { startHistory } from "./history.js";
import { startKeys } from "./keys.js";
import { onCollection, onPicked, startLibrary } from "./library.js";
import { forgetScope, narrowTo, startOptions } from "./options.js";
import { closeReader, onNarrow, step } from "./reader.js";
import { showOffer } from "./start.js";
import { startUploads } from "./uploads.js";

const LOOK = "footnote.look";
const LOOKS = { auto: "as the system", light: "light", dark: "dark" };

/** Show what the address says. */
async function follow() {
  const address = readAddress(location.hash);
  showView(address.view);
  if (address.view === "ask") await followAddress(address);
  else {
    closeReader(false);
    if (address.opened) await openListed(address.opened);
  }
}

const left = { view: "", top: 0 }; // the view that is seen, and how far down asking was left

/** Show a view: documents from their top, and asking where it was left. */
function showView(name) {
  if (left.view === "ask" && name !== "ask") left.top = scrollY;
  for (const each of ["ask", "documents"]) {
    byId(`${each}-view`).hidden = each !== name;
    const link = byId(`to-${each}`);
    if (each === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.classList.toggle("asking", name === "ask");
  document.title = name === "ask" ? "Footnote" : "Documents – Footnote";
  watchFolders(name === "documents");
  if (left.view && left.view !== name) scrollTo(0, name === "ask" ? left.top : 0);
  left.view = name;
}

function go(view) {
  if (readAddress(location.hash).view === view) return;
  closeReader(false);
  showAddress(view === "ask" ? conversation() : { view });
  showView(view);
}

function toQuestion() {
  go("ask");
  closeReader(false);
  byId("question").focus();
  byId("question").select();
}

function newConversation() {
  go("ask");
  beginAnew();
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

const openNumber = (key) =>
  currentTurn()?.querySelectorAll(".turn-body > .answer .footnotes .open")[Number(key) - 1]?.click();
const clickIn = (selector) => currentTurn()?.querySelector(selector)?.click();

/** Let what is narrowed be asked: back to the question, with it above the field. */
function askIn(scope) {
  go("ask");
  beginAnew();
  narrowTo(scope);
  byId("question").focus();
}

startLook();
startAsking();
startOptions(() => {});
startHistory(showEarlier);
startUploads(() => go("documents"));
onCollection(showOffer);
onPicked(() => {
  forgetScope();
  forgetConversation();
  if (readAddress(location.hash).view === "ask") showAddress(conversation());
});
onReading(() => go("documents"));
onAskInFolder((folder) => askIn({ folder }));
onNarrow(
  (place, part) => askIn({ document: { id: part.id, name: part.name, source: part.source } }),
  (folder) => askIn({ folder }),
);
startKeys(
  {
    "/": toQuestion,
    a: toQuestion,
    c: newConversation,
    d: () => go("documents"),
    n: () => step(1),
    p: () => step(-1),
    v: () => clickIn('[data-key="v"]'),
    w: () => clickIn(".explained > summary"),
    o: () => byId("options-open").click(),
    "?": () => byId("keys").showModal(),
    number: openNumber,
  },
  (field) => {
    if (!field) return closeReader() || stop();
    const open = byId("reader").hidden ? currentTurn() : byId("reader-name");
    if (open) open.focus({ preventScroll: true });
    else field.blur();
    return true;
  },
);
const clicks = {
  "to-ask": () => go("ask"),
  "to-documents": () => go("documents"),
  home: newConversation,
  skip: toQuestion,
  "reader-close": () => closeReader(),
  "reader-back": () => step(-1),
  "reader-on": () => step(1),
};
for (const [id, action] of Object.entries(clicks)) {
  byId(id).addEventListener("click", (event) => {
    event.preventDefault();
    action();
  });
}
window.addEventListener("hashchange", follow);
showView(readAddress(location.hash).view);
await startLibrary();
await follow();
