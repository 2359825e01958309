/** The documents of the chosen collection: listing, finding, opening, removing. */

import { byId, confirmed, counted, element, foreign, number, told } from "./elements.js";
import { openPlace } from "./reader.js";
import { inCollection, request } from "./service.js";

const AT_ONCE = 50; // listed at first, and each time a person asks for more

let chosen = null; // the collection that is listed; null where there is none
let turns = 0; // counts the lists that were begun: one that arrives late is not shown
let attempt = (work) => work();
let changed = async () => {};

/** Wire the list. `tried(work)` tells what goes wrong in work; `removed()` is called when a document has gone. */
export function startDocuments(tried, removed) {
  attempt = tried;
  changed = removed;
  byId("find").addEventListener("input", () => listFrom(0));
}

/** List the documents of a collection; null for none. */
export async function listDocuments(collection) {
  chosen = collection;
  await listFrom(0);
}

async function listFrom(offset) {
  const turn = ++turns;
  const list = byId("documents-list");
  if (chosen === null) {
    list.replaceChildren();
    byId("documents-count").textContent = "None yet.";
    return;
  }
  const find = byId("find").value.trim();
  const query = new URLSearchParams({ offset, limit: AT_ONCE, ...(find && { find }) });
  try {
    const found = await request("GET", `${inCollection(chosen, "documents")}?${query}`);
    if (turn !== turns) return;
    const rows = found.documents.map(documentRow);
    if (offset) list.append(...rows);
    else list.replaceChildren(...rows);
    const shownNow = offset + found.documents.length;
    byId("documents-count").textContent = find ? `${number(found.total)} found.` : `${number(found.total)} in all.`;
    byId("documents-more").replaceChildren(
      shownNow < found.total && found.documents.length
        ? element(
            "button",
            { class: "button quiet", onclick: () => listFrom(shownNow) },
            `Show more (${number(found.total - shownNow)} left)`,
          )
        : "",
    );
  } catch (error) {
    if (turn === turns) list.replaceChildren(element("li", {}, told(error)));
  }
}

function documentRow(entry) {
  const place = {
    collection: chosen,
    document: entry.id,
    name: entry.name,
    source: entry.source,
    sha256: entry.sha256,
    page: null,
    line: null,
    start: 0,
    end: 0,
    quote: "",
    marks: [],
    trail: [],
    label: "Document",
  };
  const open = element(
    "button",
    { class: "choose", onclick: () => openPlace([place], 0, open) },
    element("span", { class: "name" }, foreign(entry.name)),
    element(
      "span",
      { class: "soft" },
      `${entry.format}, ${counted(entry.characters, "character")}, ${counted(entry.chunks, "passage")}`,
    ),
  );
  return element(
    "li",
    { class: "document-row" },
    open,
    element(
      "button",
      { class: "remove", title: "Remove", "aria-label": `Remove ${entry.name}`, onclick: () => remove(entry) },
      "×",
    ),
  );
}

const remove = (entry) =>
  attempt(async () => {
    const detail =
      entry.origin === "upload" ? "The uploaded file is deleted with it." : "The file itself stays where it lies.";
    if (!(await confirmed(`Remove “${entry.name}” from the collection?`, detail, "Remove"))) return;
    await request("DELETE", inCollection(chosen, "documents", entry.id));
    await changed();
  });
