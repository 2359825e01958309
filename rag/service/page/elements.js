/** Building elements. All text enters the page here, and only as text. */

/**
 * Return a new element. Attributes that are false, null or undefined are left out; `on...` are listeners.
 * Strings among the children become text nodes, so that markup in them stays visible.
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const press = (name, label, onclick, attributes = {}) =>
  element("button", { type: "button", class: name, onclick, ...attributes }, label);

export const removal = (title, label, onclick) => press("remove", "×", onclick, { title, "aria-label": label });

export const byId = (id) => document.getElementById(id);

// Characters that cannot be seen and can mislead: controls, zero-width ones, direction overrides, the tag block.
const UNSEEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

/** Return text of a document or an answer with its unseen characters named, as they would be on a terminal. */
export function shown(text) {
  return text.replace(UNSEEN, (unseen) => `[U+${unseen.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
}

/** Return text that came from outside as an element in which it can neither reorder nor style what is around it. */
export function foreign(text, attributes = {}) {
  return element("bdi", attributes, shown(text));
}

/** Return what only a screen reader tells. */
export const unseen = (text) => element("span", { class: "unseen" }, text);

const NUMBER = new Intl.NumberFormat("en");
export const number = (value) => NUMBER.format(value);
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
export const percent = (share) => `${Math.round(share * 100)}%`;

/** Return how much longer work takes that is so far since it began, in words; "" while that cannot be told. */
export function timeLeft(begun, done, total) {
  const gone = (Date.now() - begun) / 1000;
  if (gone < 2 || done < 1 || done >= total) return "";
  const left = (gone / done) * (total - done);
  if (left < 5) return ", a few seconds left";
  return left < 90 ? `, about ${Math.ceil(left / 5) * 5} s left` : `, about ${Math.ceil(left / 60)} min left`;
}

/** Return how far work is, as the service tells it, in words. */
export const progressed = ({ what, done, total }, begun) =>
  `${what}: ${number(done)} of ${number(total)}${timeLeft(begun, done, total)}`;

export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? counted(bytes, "byte") : `${value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Return a button that copies what `text()` returns, and says for a moment that it did. */
export function copyButton(label, text, attributes = { class: "link" }) {
  const button = element("button", { type: "button", ...attributes }, label);
  button.addEventListener("click", async () => {
    button.textContent = await navigator.clipboard.writeText(text()).then(
      () => "Copied",
      () => "Your browser did not allow it",
    );
    setTimeout(() => (button.textContent = label), 2500);
  });
  return button;
}

/** Give a person a file of this name to keep. */
export function download(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

const PAGED = { pptx: "slide", pptm: "slide", odp: "slide", xlsx: "sheet", xlsm: "sheet", ods: "sheet" };
const pageWord = (source) => PAGED[source.split(".").pop().toLowerCase()] ?? "page";

/** Tell whether a file's name is that of a workbook, whose pages are sheets. */
export const isSheet = (source) => pageWord(source) === "sheet";

/** Return where in its document something stands: "page 3", "sheet Budget", "slide 2 (Costs)", "line 37", or "". */
export function placeOf({ page, page_name: name = "", line, source = "" }) {
  if (page === null || page === undefined) return line === null || line === undefined ? "" : `line ${line}`;
  const word = pageWord(source);
  if (!name || word === "page") return `${word} ${page}`;
  return word === "sheet" ? `sheet ${shown(name)}` : `${word} ${page} (${shown(name)})`;
}

/** Return the error as an element: what happened, and what to do next. */
export function told(error) {
  return element(
    "div",
    { class: "error", role: "alert" },
    element("p", { class: "message" }, foreign(error.message || String(error))),
    error.hint && element("p", { class: "hint" }, foreign(error.hint)),
  );
}

/** Ask a person before something that cannot be undone; true when they say the verb. */
export async function confirmed(question, detail, verb) {
  return (await choice(question, element("p", {}, detail), [["yes", verb, "danger"]])) === "yes";
}

/** Ask a person to choose: `choices` are `[value, label, class]`. Returns the value, "" where they cancel. */
export function choice(question, detail, choices) {
  const dialog = element(
    "dialog",
    { class: "dialog", "aria-labelledby": "confirm-question" },
    element("h2", { id: "confirm-question" }, question),
    detail,
    element(
      "form",
      { method: "dialog", class: "row end" },
      element("button", { value: "", class: "button" }, "Cancel"),
      choices.map(([value, label, kind]) => element("button", { value, class: `button ${kind}` }, label)),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}
