/** How a question is asked: in which collections, documents and folder, by which fields, how many passages, how strictly. */

import { byId, element, foreign, press } from "./elements.js";
import { collectionNames, chosenCollection, choose } from "./library.js";
import { inCollection, request } from "./service.js";

const LABELS = { format: "type", modified: "last changed" };
const MOST_VALUES = 30; // that the service lists of a field: where there are as many, others may exist
const DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/;
const BEGUN_DATE = /^\d{0,4}$|^\d{4}-\d?$|^\d{4}-\d\d-\d?$/;
const FILTER = /^([\w.-]+)(<=|>=|!=|=|<|>)([^]+)$/;
const OPERATORS = { "=": "is", "!=": "is not", ">=": "from", "<=": "until" };
const CHOICES = { many: "k", careful: "maxError", generator: "generator" };
const fresh = () => ({ k: "", maxError: "", generator: "", filters: [], document: null, folder: "", also: [] });

let now = fresh();
let fields = [];
let changed = () => {};

/** Wire the panel; `listener()` is called when what is asked, or how, has changed. */
export function startOptions(listener) {
  changed = listener;
  const panel = byId("options");
  byId("options-open").addEventListener("click", () => openOptions(panel.hidden));
  for (const [id, name] of Object.entries(CHOICES))
    byId(id).addEventListener("change", (event) => set({ [name]: event.target.value }));
  byId("filter-key").addEventListener("change", offerValues);
  byId("filter-value").addEventListener("input", () => check(true));
  byId("filter-value").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the form around it would ask
    addFilter();
  });
  byId("filter-add").addEventListener("click", addFilter);
}

/** Open the panel, or close it; what was set in it stays. */
export function openOptions(open) {
  byId("options").hidden = !open;
  byId("options-open").setAttribute("aria-expanded", String(open));
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
    document = await request("GET", path).then(({ id, name, source }) => ({ id, name, source }), () => null);
  } else if (address.document) document = now.document;
  now = { ...fresh(), ...pick(address), document, also };
  draw();
}

const pick = ({ k, maxError, generator, filters, folder }) => ({
  k,
  maxError,
  generator,
  filters: filters.filter((filter) => FILTER.test(filter)),
  folder,
});

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
  byId("filter-key").replaceChildren(...found.map(({ key }) => element("option", { value: key }, labelOf(key))));
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
  byId("filter-value").placeholder = field?.is_date ? "2024, 2024-05 or 2024-05-31" : (field?.values[0]?.value ?? "");
  check(true);
}

/** Return what a person reads for a field. */
const labelOf = (key) => LABELS[key] ?? key.replace(/[_.-]+/g, " ").trim();

/** Return what is wrong with a value, "" where it can be asked for; while it is `typed`, it may still be a beginning. */
function faultOf(field, value, typed) {
  if (!field || !value) return "";
  if (field.is_date) return dateFault(value, typed);
  const values = field.values.map((each) => each.value);
  const isKnown = values.length >= MOST_VALUES || /[*?]/.test(value);
  const same = (each) => (typed ? each.toLowerCase().startsWith(value.toLowerCase()) : each.toLowerCase() === value.toLowerCase());
  if (isKnown || values.some(same)) return "";
  const some = values.slice(0, 8).join(", ");
  return `No document has “${value}” as its ${labelOf(field.key)}. There is: ${some}${values.length > 8 ? ", …" : ""}.`;
}

function dateFault(value, typed) {
  const [, year, month = "01", day = "01"] = DATE.exec(value) ?? [];
  const date = year && new Date(`${year}-${month}-${day}T00:00:00Z`);
  if (date && !Number.isNaN(date.valueOf()) && date.getUTCDate() === Number(day)) return "";
  if (typed && BEGUN_DATE.test(value)) return "";
  return `“${value}” is not a date. Write a year, a month or a day: 2024, 2024-05 or 2024-05-31.`;
}

/** Say what is wrong with the filter as it stands; true where nothing is. */
function check(typed) {
  const input = byId("filter-value");
  const field = fields.find(({ key }) => key === byId("filter-key").value);
  const fault = faultOf(field, input.value.trim(), typed);
  byId("filter-said").textContent = fault;
  if (fault) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  return !fault;
}

function addFilter() {
  const input = byId("filter-value");
  const written = input.value.trim();
  const key = byId("filter-key").value;
  const operator = byId("filter-operator").value;
  if (!key || !check(false)) return input.focus();
  if (!written) {
    byId("filter-said").textContent = "Write a value first.";
    return input.focus();
  }
  const field = fields.find((each) => each.key === key);
  const spelled = field?.values.map(({ value }) => value).find((value) => value.toLowerCase() === written.toLowerCase());
  const filter = `${key}${operator}${spelled ?? written}`;
  input.value = "";
  check(true);
  // a document has one value of a field: the next one takes the place of the last
  const others = now.filters.filter((each) => operator === "!=" || !each.startsWith(`${key}${operator}`));
  if (!now.filters.includes(filter)) set({ filters: [...others, filter] });
}

const without = (list, value) => list.filter((each) => each !== value);

function draw() {
  for (const [id, name] of Object.entries(CHOICES)) byId(id).value = now[name];
  const others = collectionNames().filter((name) => name !== chosenCollection());
  byId("together").hidden = others.length === 0;
  byId("together-list").replaceChildren(
    ...others.map((name) => {
      const box = element("input", { type: "checkbox", checked: now.also.includes(name) });
      box.addEventListener("change", () => set({ also: box.checked ? [...now.also, name] : without(now.also, name) }));
      return element("label", {}, box, " ", foreign(name));
    }),
  );
  const chips = differing().map(([lead, value, remove]) => chip(lead, value, remove));
  byId("options-open").textContent = chips.length ? `Options (${chips.length})` : "Options";
  byId("scope").hidden = chips.length === 0;
  byId("scope").replaceChildren(...chips);
}

/** Return what a filter says: what stands before its value, and the value. */
function inWords(filter) {
  const [, key, operator, value] = FILTER.exec(filter) ?? [null, "", "=", filter];
  return [`${labelOf(key)} ${OPERATORS[operator] ?? operator} `, value];
}

/** Return what differs from the defaults: what stands before each value, the value, and what takes it back. */
const differing = () =>
  [
    now.document && ["in ", now.document.name, () => narrowTo({})],
    now.folder && ["in the folder ", now.folder, () => narrowTo({})],
    ...now.filters.map((filter) => [...inWords(filter), () => set({ filters: without(now.filters, filter) })]),
    ...now.also.map((name) => ["and in ", name, () => set({ also: without(now.also, name) })]),
    now.k && ["passages: ", now.k, () => set({ k: "" })],
    now.maxError && ["at most wrong: ", `1 in ${Math.round(1 / Number(now.maxError))}`, () => set({ maxError: "" })],
    now.generator && ["generator: ", now.generator, () => set({ generator: "" })],
  ].filter(Boolean);

/** Return how a question is asked where that differs from the defaults, in words; "" where it does not. */
export const differences = () => differing().map(([lead, value]) => lead + value).join(" · ");

function chip(lead, value, remove) {
  const label = { "aria-label": `No longer ${lead}${value}`, title: "Remove" };
  const click = () => {
    remove();
    byId("question").focus(); // the button goes away
  };
  const button = press("drop-chip", "×", click, label);
  return element("li", { class: "chip" }, element("span", {}, lead, foreign(value)), button);
}
