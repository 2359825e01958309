/** The documents of the chosen collection: listing, sorting, finding, opening, removing. */

import { readAddress, showAddress } from "./address.js";
import { byId, confirmed, element, foreign, number, press, removal, told } from "./elements.js";
import { onPlaceOfDocument, openPlace } from "./reader.js";
import { inCollection, request } from "./service.js";

const AT_ONCE = 50; // listed at first, and each time a person asks for more
const COLUMNS = { name: "Name", format: "Type", folder: "Folder", modified: "Date", chunks: "Passages" };
const FALLING = ["modified", "chunks"]; // sorted so at first: the newest, the longest

let chosen = null; // the collection that is listed; null where there is none
let turns = 0; // counts the lists that were begun: one that arrives late is not shown
let order = { sort: "source", descending: false };
let attempt = (work) => work();
let changed = async () => {};

/** Wire the list. `tried(work)` tells what goes wrong in work; `removed()` is called when a document has gone. */
export function startDocuments(tried, removed) {
  attempt = tried;
  changed = removed;
  byId("find").addEventListener("input", () => listFrom(0));
  byId("documents-head").replaceChildren(
    ...Object.entries(COLUMNS).map(([key, name]) =>
      element("th", { scope: "col", class: key, "data-sort": key }, press("sort", name, () => sortBy(key))),
    ),
    element("td", { class: "act" }),
  );
  onPlaceOfDocument((place) => {
    if (readAddress(location.hash).view === "documents")
      showAddress({ view: "documents", opened: place?.document ?? "" }, { replace: !place });
  });
}

function sortBy(key) {
  const falling = FALLING.includes(key);
  order = { sort: key, descending: order.sort === key ? !order.descending : falling };
  listFrom(0);
}

/** List the documents of a collection; null for none. */
export async function listDocuments(collection) {
  if (collection !== chosen)
    for (const id of ["documents-list", "documents-count", "documents-more"]) byId(id).replaceChildren(); // of another
  chosen = collection;
  await listFrom(0);
}

async function listFrom(offset) {
  const turn = ++turns;
  const list = byId("documents-list");
  byId("documents-table").hidden = chosen === null;
  if (chosen === null) {
    list.replaceChildren();
    byId("documents-count").textContent = "None yet.";
    return;
  }
  for (const head of byId("documents-head").children) {
    if (head.dataset.sort === order.sort) head.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  const find = byId("find").value.trim();
  const query = new URLSearchParams({ offset, limit: AT_ONCE, ...order, ...(find && { find }) });
  try {
    const found = await request("GET", `${inCollection(chosen, "documents")}?${query}`);
    if (turn !== turns) return;
    const rows = found.documents.map(documentRow);
    if (offset) list.append(...rows);
    else list.replaceChildren(...rows);
    const shownNow = offset + found.documents.length;
    byId("documents-count").textContent = find ? `${number(found.total)} found.` : `${number(found.total)} in all.`;
    byId("documents-table").hidden = found.total === 0;
    byId("documents-more").replaceChildren(
      shownNow < found.total && found.documents.length
        ? press("button quiet", `Show more (${number(found.total - shownNow)} left)`, () => listFrom(shownNow))
        : "",
    );
  } catch (error) {
    if (turn === turns) list.replaceChildren(element("tr", {}, element("td", { colspan: 6 }, told(error))));
  }
}

function documentRow(entry) {
  const open = press("link name", foreign(entry.name), () => openDocument(chosen, entry, open));
  const warnings = entry.warnings.map((warning) => element("span", { class: "caution" }, foreign(warning)));
  return element(
    "tr",
    { class: "document-row" },
    element("th", { scope: "row" }, open, warnings),
    element("td", { class: "format" }, entry.format),
    element("td", { class: "folder", title: entry.folder }, foreign(shortened(entry.folder))),
    element("td", { class: "modified" }, entry.modified?.slice(0, 10) ?? ""),
    element("td", { class: "chunks number" }, number(entry.chunks)),
    element("td", { class: "act" }, removal("Remove", `Remove ${entry.name}`, () => remove(entry))),
  );
}

/** Return the last parts of a folder's path: what tells one from another. */
const shortened = (folder) => (folder.split("/").length > 3 ? `…/${folder.split("/").slice(-2).join("/")}` : folder);

/** Open a listed document from its beginning. */
export function openDocument(collection, entry, opener) {
  const nowhere = { start: 0, end: 0, quote: "", marks: [], trail: [] };
  const place = { ...entry, ...nowhere, kind: "document", collection, document: entry.id, caption: "Document" };
  openPlace([place], 0, opener);
}

/** Open a document of the listed collection by its id, as an address names it. */
export async function openListed(id) {
  try {
    const entry = await request("GET", `${inCollection(chosen, "documents", id)}?end=0`);
    openDocument(chosen, entry, null);
  } catch {
    showAddress({ view: "documents" }, { replace: true }); // it has gone
  }
}

const remove = (entry) =>
  attempt(async () => {
    const detail =
      entry.origin === "upload" ? "The uploaded file is deleted with it." : "The file itself stays where it lies.";
    if (!(await confirmed(`Remove “${entry.name}” from the collection?`, detail, "Remove"))) return;
    await request("DELETE", inCollection(chosen, "documents", entry.id));
    await changed();
  });
