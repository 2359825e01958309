/** How a question is asked: in which collections, documents and folder, by which fields, how many passages, how strictly. */

import { byId, element, foreign } from "./elements.js";
import { collectionNames, chosenCollection, choose } from "./library.js";
import { inCollection, request } from "./service.js";

const OPERATORS = { "=": "is", "!=": "is not", ">=": "from", "<=": "until" };
const fresh = () => ({ k: "", maxError: "", generator: "", filters: [], document: null, folder: "", also: [] });

let now = fresh();
let fields = [];
let changed = () => {};

/** Wire the panel; `listener()` is called when what is asked, or how, has changed. */
export function startOptions(listener) {
  changed = listener;
  const panel = byId("options");
  byId("options-open").addEventListener("click", () => {
    panel.hidden = !panel.hidden;
    byId("options-open").setAttribute("aria-expanded", String(!panel.hidden));
  });
  for (const [id, name] of [
    ["many", "k"],
    ["careful", "maxError"],
    ["generator", "generator"],
  ]) {
    byId(id).addEventListener("change", (event) => set({ [name]: event.target.value }));
  }
  byId("filter-key").addEventListener("change", offerValues);
  byId("filter-value").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the form around it would ask
    addFilter();
  });
  byId("filter-add").addEventListener("click", addFilter);
}

/** Return the collections that are asked, the chosen one first. */
export const askedCollections = () => [chosenCollection(), ...now.also.filter((name) => name !== chosenCollection())];

/** Return what of a request is chosen here. */
export function askedWith() {
  const filters = [...now.filters];
  if (now.document) filters.push(`source=${now.document.source}`);
  else if (now.folder) filters.push(`source=${now.folder.replace(/\/$/, "")}/*`);
  return {
    filters,
    ...(now.k && { k: Number(now.k) }),
    ...(now.maxError && { max_error: Number(now.maxError) }),
    ...(now.generator && { generator: now.generator }),
  };
}

/** Return how a question is asked, as the address tells it. */
export const inAddress = () => ({
  collections: askedCollections(),
  filters: now.filters,
  document: now.document?.id ?? "",
  folder: now.folder,
  k: now.k,
  maxError: now.maxError,
  generator: now.generator,
});

/** Ask as an address says; a document that is gone is passed over. */
export async function takeAddress(address) {
  const [first, ...also] = address.collections;
  if (first && first !== chosenCollection()) await choose(first);
  let document = null;
  if (address.document && address.document !== now.document?.id) {
    const path = `${inCollection(chosenCollection(), "documents", address.document)}?end=0`;
    document = await request("GET", path).then(
      ({ id, name, source }) => ({ id, name, source }),
      () => null,
    );
  } else if (address.document) document = now.document;
  const known = new Set(collectionNames());
  now = { ...fresh(), ...pick(address), document, also: also.filter((name) => known.has(name)) };
  draw();
}

const pick = ({ k, maxError, generator, filters, folder }) => ({ k, maxError, generator, filters, folder });

/** Ask in one document or folder from now on, or, with null, everywhere. */
export function narrowTo({ document = null, folder = "" }) {
  set({ document, folder });
}

/** Forget what was chosen for another collection: its documents, folders and fields. */
export function forgetScope() {
  set({ document: null, folder: "", filters: [], also: [] });
}

/** Offer these fields for filters, as `/offer` lists them. */
export function offerFields(found) {
  fields = found;
  byId("filter-key").replaceChildren(...found.map(({ key }) => element("option", { value: key }, key)));
  byId("filters").hidden = found.length === 0;
  offerValues();
  draw();
}

function set(some) {
  now = { ...now, ...some };
  draw();
  changed();
}

function offerValues() {
  const field = fields.find(({ key }) => key === byId("filter-key").value);
  byId("filter-values").replaceChildren(
    ...(field?.values ?? []).map(({ value, documents }) => element("option", { value }, `${documents}`)),
  );
  const operators = field?.is_date ? [">=", "<=", "="] : ["=", "!="];
  byId("filter-operator").replaceChildren(
    ...operators.map((each) => element("option", { value: each }, OPERATORS[each])),
  );
  byId("filter-value").placeholder = field?.is_date ? "2024-01-31" : "";
}

function addFilter() {
  const value = byId("filter-value").value.trim();
  const key = byId("filter-key").value;
  if (!value || !key) return;
  const filter = `${key}${byId("filter-operator").value}${value}`;
  byId("filter-value").value = "";
  if (!now.filters.includes(filter)) set({ filters: [...now.filters, filter] });
}

const without = (list, value) => list.filter((each) => each !== value);

function draw() {
  byId("many").value = now.k;
  byId("careful").value = now.maxError;
  byId("generator").value = now.generator;
  const others = collectionNames().filter((name) => name !== chosenCollection());
  byId("together").hidden = others.length === 0;
  byId("together-list").replaceChildren(
    ...others.map((name) => {
      const box = element("input", { type: "checkbox", checked: now.also.includes(name) });
      box.addEventListener("change", () => set({ also: box.checked ? [...now.also, name] : without(now.also, name) }));
      return element("label", {}, box, " ", foreign(name));
    }),
  );
  const chips = [
    now.document && chip("in ", now.document.name, () => narrowTo({})),
    now.folder && chip("in the folder ", now.folder, () => narrowTo({})),
    ...now.filters.map((filter) => {
      const [, key, operator, value] = /^([\w.-]+)(<=|>=|!=|=|<|>)([^]*)$/.exec(filter) ?? [null, "", "=", filter];
      return chip(`${key} ${OPERATORS[operator] ?? operator} `, value, () =>
        set({ filters: without(now.filters, filter) }),
      );
    }),
    ...now.also.map((name) => chip("and in ", name, () => set({ also: without(now.also, name) }))),
    now.k && chip("passages: ", now.k, () => set({ k: "" })),
    now.maxError &&
      chip("at most wrong: ", `1 in ${Math.round(1 / Number(now.maxError))}`, () => set({ maxError: "" })),
    now.generator && chip("generator: ", now.generator, () => set({ generator: "" })),
  ].filter(Boolean);
  byId("scope").hidden = chips.length === 0;
  byId("scope").replaceChildren(...chips);
}

function chip(lead, value, remove) {
  const button = element(
    "button",
    { type: "button", class: "drop-chip", "aria-label": `No longer ${lead}${value}`, title: "Remove" },
    "×",
  );
  button.addEventListener("click", () => {
    remove();
    byId("question").focus(); // the button goes away
  });
  return element("li", { class: "chip" }, element("span", {}, lead, foreign(value)), button);
}
