/** Adding documents: files dropped anywhere on the page or chosen, sent one after the other, with how far each is. */

import { byId, counted, element, foreign, number, percent, progressed, removal, size, timeLeft } from "./elements.js";
import { chosenCollection, ensureCollection, refresh } from "./library.js";
import { inCollection, upload } from "./service.js";

const LONGEST_NAME = 200; // in characters, as the service takes them

const waiting = []; // {file, name, collection, row, said, bar, controller}
let working = false;
let inside = 0; // how many elements the dragged files are over

/** Wire the page for files that are dropped or chosen; `arriving()` is called when some come. */
export function startUploads(arriving) {
  const take = async (files) => {
    if (!files.length) return;
    arriving();
    for (const { file, name } of files) enqueue(file, name);
    byId("uploads").lastElementChild?.scrollIntoView({ block: "nearest" });
    work();
  };
  byId("to-add").addEventListener("click", () => {
    byId("files").focus({ preventScroll: true });
    byId("files").closest(".zone").scrollIntoView({ block: "center" });
  });
  byId("empty-files").addEventListener("click", () => byId("files").click());
  byId("files").addEventListener("change", (event) => {
    take([...event.target.files].map((file) => ({ file, name: file.name })));
    event.target.value = "";
  });
  document.addEventListener("dragenter", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    inside += 1;
    byId("drop").hidden = false;
  });
  document.addEventListener("dragleave", () => {
    inside = Math.max(0, inside - 1);
    byId("drop").hidden = inside === 0;
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    inside = 0;
    byId("drop").hidden = true;
    take(await dropped(event.dataTransfer));
  });
  window.addEventListener("beforeunload", (event) => {
    if (working) event.preventDefault();
  });
}

/** Return the files that were dropped, those in folders too, each `{file, name}` under its path. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean); // before the first await
  if (!entries.length) return [...transfer.files].map((file) => ({ file, name: file.name }));
  const found = [];
  const walk = async (entry) => {
    if (entry.name.startsWith(".")) return;
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.push({ file, name: [...entry.fullPath.slice(1)].slice(-LONGEST_NAME).join("") });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
      if (!some.length) return;
      for (const each of some) await walk(each);
    }
  };
  for (const entry of entries) await walk(entry);
  return found;
}

function enqueue(file, name) {
  const said = element("span", { class: "soft" }, "waiting");
  const bar = element("progress", { max: 1, value: 0, "aria-label": `Progress of ${name}` });
  const controller = new AbortController();
  const cancel = removal("Cancel", `Cancel ${name}`, () => controller.abort());
  const words = [element("span", { class: "name" }, foreign(name)), element("span", { class: "soft" }, size(file.size))];
  const row = element("li", { class: "upload" }, words, bar, said, cancel);
  byId("uploads").append(row);
  waiting.push({ file, name, collection: chosenCollection(), row, said, bar, cancel, controller });
}

async function work() {
  if (working) return;
  working = true;
  let added = 0;
  let failed = 0;
  const begun = Date.now();
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const done = added + failed;
    tell(
      `Indexing ${next.name}; ${counted(waiting.length, "more file")} to come${timeLeft(begun, done, done + waiting.length + 1)}.`,
    );
    if (await send(next)) added += 1;
    else failed += 1;
  }
  working = false;
  tell(`${counted(added, "file")} indexed${failed ? `, ${number(failed)} not` : ""}.`);
  await refresh();
}

const tell = (text) => (byId("uploads-said").textContent = text);

/** Send one file and show what becomes of it; true when it is in the collection. */
async function send(item) {
  const { file, name, collection, row, said, bar, cancel, controller } = item;
  const { signal } = controller;
  const begun = Date.now();
  try {
    signal.throwIfAborted();
    await ensureCollection(collection);
    const path = `${inCollection(collection, "documents")}?${new URLSearchParams({ name, stream: "true" })}`;
    const { document: made, replaced } = await upload(path, file, "document", {
      signal,
      waiting: (seconds) => (said.textContent = `the service is busy; again in ${Math.ceil(seconds)} s`),
      sending: (share) => {
        bar.value = share;
        said.textContent = share < 1 ? `sent ${percent(share)}` : "reading…";
        if (share >= 1) bar.removeAttribute("value"); // how long reading takes is not known
      },
      event: ({ event, data }) => {
        if (event !== "progress" || !data.total) return;
        bar.max = data.total;
        bar.value = data.done;
        said.textContent = progressed(data, begun);
      },
    });
    row.classList.add("done");
    said.textContent = `✓ ${replaced ? "replaced" : "added"}, ${counted(made.chunks, "passage")}`;
    return true;
  } catch (error) {
    row.classList.add("failed");
    const words = signal.aborted ? "cancelled" : [error.message, error.hint].filter(Boolean).join(" ");
    said.replaceChildren("✗ ", foreign(words));
    return false;
  } finally {
    bar.remove();
    cancel.remove();
  }
}
