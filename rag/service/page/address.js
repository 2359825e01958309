/**
 * The address of what is shown: `#q=first&q=second&c=papers&n=1`, the questions of a conversation, the collection they
 * were asked of, and the footnote that is open. It can be kept as a bookmark, sent on, reloaded and gone back to.
 */

const LISTS = { q: "questions", c: "collections", f: "filters" };
const TEXTS = {
  in: "document",
  dir: "folder",
  k: "k",
  max: "maxError",
  by: "generator",
  t: "turn",
  n: "note",
  p: "passage",
  d: "opened",
};

/** Return what an address says: the view, and everything else as texts or lists of texts. */
export function readAddress(hash) {
  const text = hash.replace(/^#/, "");
  const view = /^documents(?:&|$)/.test(text) ? "documents" : "ask";
  const query = new URLSearchParams(text.replace(/^(?:ask|documents)(?:&|$)/, ""));
  const found = { view };
  for (const [key, name] of Object.entries(LISTS)) found[name] = query.getAll(key).filter(Boolean);
  for (const [key, name] of Object.entries(TEXTS)) found[name] = query.get(key) ?? "";
  return found;
}

/** Return the address that says this; what is empty is left out. */
export function addressOf(state) {
  const query = new URLSearchParams();
  for (const [key, name] of Object.entries(LISTS)) for (const each of state[name] ?? []) query.append(key, each);
  for (const [key, name] of Object.entries(TEXTS)) if (state[name]) query.set(key, state[name]);
  const rest = query.toString();
  if (state.view === "documents") return `#documents${rest && `&${rest}`}`;
  return rest ? `#${rest}` : "#ask";
}

/** Show another address; with `replace`, Back does not come by the one before. No event follows. */
export function showAddress(state, { replace = false } = {}) {
  const next = addressOf(state);
  if (next === location.hash) return;
  if (replace) history.replaceState(null, "", next);
  else history.pushState(null, "", next);
}
