/** Folders that are bound to the chosen collection: adding one by its path, and what indexing them again would change. */

import { byId, choice, counted, element, foreign, number, press, removal, told } from "./elements.js";
import { inCollection, request } from "./service.js";

const LOOK_EVERY = 20_000; // milliseconds between two looks at what has changed, while the view is seen

let chosen = null;
let bound = [];
let timer = 0;
let attempt = (work) => work();
let update = async () => {};
let askIn = () => {};

/** Wire the forms. `tried(work)` tells what goes wrong, `index(prune)` reads, `ensure()` returns a collection to add to. */
export function startFolders(tried, index, ensure) {
  attempt = tried;
  byId("empty-folder").addEventListener("submit", (event) => {
    event.preventDefault();
    addFirst(byId("empty-path").value.trim(), ensure);
  });
  update = index;
  byId("new-folder").addEventListener("submit", (event) => {
    event.preventDefault();
    add(byId("new-path").value.trim());
  });
  byId("update").addEventListener("click", () => attempt(readAgain));
}

/** Let a person ask in a folder: `ask(path)` is called then. */
export function onAskInFolder(ask) {
  askIn = ask;
}

const ON_THIS_MACHINE = /^(?:localhost|127\.[\d.]+|\[::1\])$/;

/** Add the first folder of a collection, and read it at once. */
async function addFirst(path, ensure) {
  if (!path) return byId("empty-path").focus();
  const said = byId("empty-said");
  said.replaceChildren(element("p", { role: "status" }, "Looking into the folder…"));
  try {
    await request("POST", inCollection(await ensure(), "folders"), { path });
    said.replaceChildren();
    byId("empty-path").value = "";
    showDocuments();
    await update(false);
  } catch (error) {
    said.replaceChildren(told(error));
  }
}

let showDocuments = () => {};

/** Be told that the documents are to be shown, since some are read. */
export function onReading(listener) {
  showDocuments = listener;
}

/** Show the folders of a collection; null for none. */
export async function listFolders(collection) {
  if (collection !== chosen) byId("folders-list").replaceChildren(); // of another
  chosen = collection;
  bound = [];
  byId("changes").replaceChildren();
  const found =
    collection === null
      ? { folders: [], may_add: false }
      : await request("GET", inCollection(collection, "folders")).catch(() => ({ folders: [], may_add: false }));
  if (chosen !== collection) return;
  draw(found);
}

function draw({ folders, may_add: mayAdd }) {
  bound = folders;
  byId("empty-folder").hidden = !(mayAdd || (chosen === null && ON_THIS_MACHINE.test(location.hostname)));
  byId("folders").hidden = !mayAdd && folders.length === 0;
  byId("new-folder").hidden = !mayAdd;
  byId("folders-list").replaceChildren(
    ...folders.map(({ path, documents, is_there: isThere }) =>
      element(
        "li",
        { class: "folder-row" },
        element("span", { class: "name" }, foreign(path)),
        element(
          "span",
          { class: isThere ? "soft" : "caution" },
          isThere ? counted(documents, "document") : "not there now; its documents are kept",
        ),
        press("link", "Ask in it", () => askIn(path)),
        removal("Take away", `Take the folder ${path} away`, () => unbind(path)),
      ),
    ),
  );
  look();
}

const add = (path) =>
  attempt(async () => {
    if (!path) return;
    draw(await request("POST", inCollection(chosen, "folders"), { path }));
    byId("new-path").value = "";
  });

const unbind = (path) =>
  attempt(async () => {
    const said = await choice(
      `Take the folder away from “${chosen}”?`,
      element("p", {}, "Its documents stay in the collection until they are removed; the files are not touched."),
      [["yes", "Take away", "danger"]],
    );
    if (said) draw(await request("DELETE", `${inCollection(chosen, "folders")}?${new URLSearchParams({ path })}`));
  });

/** Look at the folders from time to time while their view is seen. */
export function watchFolders(isSeen) {
  clearInterval(timer);
  if (!isSeen) return;
  look();
  timer = setInterval(() => document.visibilityState === "visible" && look(), LOOK_EVERY);
}

async function look() {
  if (!bound.length || byId("documents-view").hidden) return null;
  const collection = chosen;
  try {
    const changes = await request("GET", inCollection(collection, "changes"));
    if (collection !== chosen) return null;
    byId("changes").replaceChildren(...preview(changes));
    return changes;
  } catch (error) {
    byId("changes").replaceChildren(told(error));
    return null;
  }
}

const SORTS = { added: "new", changed: "changed", removed: "gone" };

/** Return what reading again would change: how many files of each sort, and which. */
function preview(changes) {
  const some = Object.keys(SORTS).filter((sort) => changes.counts[sort]);
  if (!some.length) return [element("p", { class: "soft", role: "status" }, "The folders are as they were indexed.")];
  const words = some.map((sort) => `${number(changes.counts[sort])} ${SORTS[sort]}`).join(", ");
  return [
    element(
      "details",
      { class: "preview" },
      element("summary", {}, `In the folders: ${words} since they were read`),
      some.map((sort) => [
        element("h3", {}, `${SORTS[sort][0].toUpperCase()}${SORTS[sort].slice(1)}`),
        named(changes, sort),
      ]),
    ),
  ];
}

function named(changes, sort) {
  const rest = changes.counts[sort] - changes[sort].length;
  return element(
    "ul",
    { class: "files" },
    changes[sort].map((source) => element("li", {}, foreign(source))),
    rest > 0 && element("li", { class: "soft" }, `and ${number(rest)} more`),
  );
}

/** Read the folders again; where documents would be removed, a person decides with their names before the eyes. */
async function readAgain() {
  const changes = bound.length ? await request("GET", inCollection(chosen, "changes")) : null;
  let prune = false;
  if (changes?.counts.removed) {
    const count = counted(changes.counts.removed, "document");
    const lead = element("p", {}, "Their files are gone from the folders:");
    const detail = element("div", {}, lead, named(changes, "removed"));
    const said = await choice(`Remove ${count} from the collection?`, detail, [
      ["keep", "Read, and keep them", ""],
      ["remove", `Read, and remove ${number(changes.counts.removed)}`, "danger"],
    ]);
    if (!said) return;
    prune = said === "remove";
  }
  await update(prune);
}
