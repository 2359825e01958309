/** Keys: one letter each, but not while a person writes. They can be turned off, for those who speak to type. */

import { byId } from "./elements.js";

const KEYS = "footnote.keys";

/** Listen; `actions` maps a key to what it does. `escape(field)` is tried for Escape, with the field that is written in. */
export function startKeys(actions, escape) {
  const on = byId("keys-on");
  on.checked = localStorage.getItem(KEYS) !== "no";
  on.addEventListener("change", () => localStorage.setItem(KEYS, on.checked ? "yes" : "no"));
  byId("keys-open").addEventListener("click", () => byId("keys").showModal());
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      escape(isWriting(event.target) ? event.target : null);
      return;
    }
    if (!on.checked || isWriting(event.target)) return;
    const action = /^[1-9]$/.test(event.key) ? actions.number : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action(event.key);
  });
}

const isWriting = (target) =>
  target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
