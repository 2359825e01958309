/** What stands where nothing was asked yet: questions to try, recent documents, and a placeholder that says what can be. */

import { begin, fit } from "./asking.js";
import { openDocument } from "./documents.js";
import { byId, element, foreign, press } from "./elements.js";
import { offerFields } from "./options.js";
import { inCollection, request } from "./service.js";

let offered = null; // the collection whose offer is shown
let turns = 0; // counts the offers that were asked for: one that arrives late is not shown

/** Show what a collection offers; null where there is none. */
export async function showOffer(collection) {
  const turn = ++turns;
  if (collection !== offered) for (const id of ["try", "recent"]) byId(id).hidden = true;
  offered = collection;
  const nothing = { questions: [], recent: [], fields: [] };
  const offer =
    collection === null ? nothing : await request("GET", inCollection(collection, "offer")).catch(() => nothing);
  if (turn !== turns) return;
  offerFields(offer.fields);
  const [shortest] = [...offer.questions].sort((one, other) => one.length - other.length);
  const field = byId("question");
  field.dataset.example = shortest ? `For example: ${shortest}` : "";
  if (!document.body.classList.contains("conversing")) field.placeholder = field.dataset.example;
  fit(field);
  byId("try").hidden = offer.questions.length === 0;
  byId("try-list").replaceChildren(
    ...offer.questions.map((question) =>
      element("li", {}, press("suggestion", foreign(question), () => begin(question), { dir: "auto" })),
    ),
  );
  byId("recent").hidden = offer.recent.length === 0;
  byId("recent-list").replaceChildren(
    ...offer.recent.map((entry) => {
      const button = press("link", foreign(entry.name), () => openDocument(collection, entry, button));
      return element("li", {}, button, element("span", { class: "soft" }, ` ${entry.modified?.slice(0, 10) ?? ""}`));
    }),
  );
}
