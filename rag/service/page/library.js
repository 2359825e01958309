/** Collections: which one is asked, making one, deleting one, bringing one up to date. */

import { listDocuments, startDocuments } from "./documents.js";
import { byId, confirmed, counted, element, foreign, number, press, progressed, removal, size, told } from "./elements.js";
import { listFolders, startFolders } from "./folders.js";
import { inCollection, request, stream } from "./service.js";

const CHOSEN = "footnote.collection";

let all = []; // as the service lists them
let chosen = null; // the name of the collection that is asked, null until the list has come
let shownOffer = ""; // the state of the collection that was told of last
let tell = async () => {};

/** Be told of the collection that is asked whenever it is another one or has changed; null: it is not there yet. */
export function onCollection(listener) {
  tell = listener;
}

/** Wire the view, fetch the collections and show them. */
export async function startLibrary() {
  byId("collection").addEventListener("change", (event) => pick(event.target.value));
  byId("new-collection").addEventListener("submit", (event) => {
    event.preventDefault();
    make(byId("new-name").value.trim());
  });
  startDocuments(attempt, refresh);
  startFolders(attempt, update, async () => {
    await ensureCollection(chosen);
    return chosen;
  });
  await refresh();
}

/** Return the names of all collections. */
export const collectionNames = () => all.map(({ name }) => name);

/** Return the name of the chosen collection. */
export const chosenCollection = () => chosen;

/** Make a collection where there is none of that name yet. */
export async function ensureCollection(name) {
  if (all.some((entry) => entry.name === name)) return;
  await request("POST", "v1/collections", { name });
  await refresh();
}

/** Fetch the collections again and show them, and the documents of the chosen one. */
export async function refresh() {
  let found;
  try {
    found = await request("GET", "v1/collections");
  } catch (error) {
    byId("library-said").replaceChildren(told(error));
    byId("asked-of").replaceChildren(told(error));
    return;
  }
  all = found.collections;
  const kept = chosen ?? localStorage.getItem(CHOSEN);
  chosen = all.some((entry) => entry.name === kept) ? kept : found.default;
  draw(found.broken);
  const now = all.find((entry) => entry.name === chosen);
  const state = `${chosen} ${now?.generation ?? ""}`;
  if (state !== shownOffer) tell(now ? chosen : null);
  shownOffer = state;
  await Promise.all([listDocuments(now ? chosen : null), listFolders(now ? chosen : null)]);
}

let picked = () => {};

/** Be told that a person has chosen another collection. */
export function onPicked(listener) {
  picked = listener;
}

function pick(name) {
  if (name !== chosen) picked();
  return choose(name);
}

/** Show another collection, and ask in it. */
export async function choose(name) {
  chosen = name;
  localStorage.setItem(CHOSEN, name);
  byId("find").value = "";
  await refresh();
}

function draw(broken) {
  const names = all.some((entry) => entry.name === chosen)
    ? all.map(({ name }) => name)
    : [chosen, ...all.map(({ name }) => name)];
  byId("collection").replaceChildren(
    ...names.map((name) => element("option", { value: name, selected: name === chosen }, name)),
  );
  const now = all.find((entry) => entry.name === chosen);
  byId("asked-of").replaceChildren(...askedOf(now));
  byId("empty").hidden = Boolean(now?.documents);
  byId("collections-list").replaceChildren(...all.map(collectionRow), ...broken.map(brokenRow));
  for (const each of document.querySelectorAll(".chosen-name")) each.replaceChildren(foreign(chosen));
  byId("update").hidden = !now;
}

function askedOf(now) {
  if (!now?.documents) return [];
  return [
    `Answers come from ${counted(now.documents, "document")} in “`,
    foreign(chosen),
    "”, with footnotes, or not at all.",
  ];
}

function collectionRow(entry) {
  const own = entry.name === chosen;
  const held = `${counted(entry.documents, "document")}, ${counted(entry.chunks, "passage")}, ${size(entry.bytes)}`;
  const words = [element("span", { class: "name" }, foreign(entry.name)), element("span", { class: "soft" }, held)];
  return element(
    "li",
    { class: own ? "collection chosen" : "collection" },
    press("choose", words, () => pick(entry.name), { "aria-pressed": String(own) }),
    removal("Delete", `Delete the collection ${entry.name}`, () => deleteCollection(entry)),
  );
}

function brokenRow(entry) {
  return element(
    "li",
    { class: "collection" },
    element("strong", {}, foreign(entry.name)),
    told({ message: entry.error, hint: entry.hint }),
  );
}

async function attempt(work) {
  byId("library-said").replaceChildren();
  try {
    await work();
  } catch (error) {
    byId("library-said").replaceChildren(told(error));
  }
}

const make = (name) =>
  attempt(async () => {
    if (!name) return;
    const made = await request("POST", "v1/collections", { name });
    byId("new-name").value = "";
    pick(made.name);
  });

const deleteCollection = (entry) =>
  attempt(async () => {
    const detail =
      `${counted(entry.documents, "document")} would have to be indexed again. ` +
      "Files that were uploaded are deleted with it; those that lie elsewhere on the disk are not touched.";
    if (!(await confirmed(`Delete the collection “${entry.name}”?`, detail, "Delete"))) return;
    await request("DELETE", inCollection(entry.name));
    if (chosen === entry.name) chosen = null;
    await refresh();
  });

const update = (prune) =>
  attempt(async () => {
    const begun = Date.now();
    const bar = element("progress", { "aria-label": "Reading changed files" });
    const words = element("span", { role: "status" }, "Looking for files that have changed…");
    byId("library-said").replaceChildren(element("p", { class: "row" }, bar, words));
    for await (const { event, data } of stream(inCollection(chosen, "index"), { stream: true, prune }, "report")) {
      if (event === "progress" && data.total) {
        bar.max = data.total;
        bar.value = data.done;
        words.textContent = progressed(data, begun);
      } else if (event === "progress") {
        words.textContent = `${number(data.done)} ${data.what} read`;
      } else if (event === "report") {
        byId("library-said").replaceChildren(...reported(data));
      }
    }
    await refresh();
  });

/** Return a report of indexing as elements. */
function reported(report) {
  const counts = ["added", "changed", "removed", "unchanged"]
    .map((what) => `${number(report[what])} ${what}`)
    .join(", ");
  return [
    element("p", { role: "status" }, `${counts}, in ${report.seconds.toFixed(1)} s.`),
    ...skipped(report.skipped),
  ];
}

function skipped(skips) {
  if (!skips.length) return [];
  const rows = skips.map((skip) => element("li", {}, foreign(skip.source), ": ", foreign(skip.reason)));
  return [
    element(
      "details",
      { open: skips.length < 4 },
      element("summary", {}, `${counted(skips.length, "file")} could not be read`),
      element("ul", {}, rows),
    ),
  ];
}
