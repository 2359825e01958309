/** A page of a PDF as a picture, with the quoted words boxed where their place is certain. */

import { element, press, told } from "./elements.js";
import { inCollection, request } from "./service.js";

const ZOOMS = [1, 1.5, 2, 3];
const UNCERTAIN =
  "Where the quoted words stand on this page is not certain, so nothing is marked. They are marked in the text.";
const SCALE = 1.5; // at which a page is drawn, and twice that where it is looked at closely

/**
 * Show a page in `body`, and controls to turn pages and to zoom in `bar`. Raises Failure where there are no pages.
 *
 * `place` says which document, which page and which characters; `isWanted()` tells whether it is still to be shown.
 */
export async function showPage(place, body, bar, isWanted) {
  const state = { place, number: place.page ?? 1, zoom: 0, body, bar, isWanted };
  await turn(state, state.number);
}

const pagePath = ({ collection, document }, ...rest) =>
  inCollection(collection, "documents", document, "pages", ...rest);

async function turn(state, number) {
  const { place, body, bar, isWanted } = state;
  const spans = [
    [place.start, place.end, "quote"],
    ...place.marks.map(([start, end]) => [place.start + start, place.start + end, "copied"]),
  ];
  const asked = place.quote ? spans : [[0, 0, "quote"]];
  const found = await Promise.all(
    asked.map(([start, end]) =>
      request("GET", `${pagePath(place, number, "boxes")}?${new URLSearchParams({ start, end })}`),
    ),
  );
  if (!isWanted()) return;
  const { pages, width, height } = found[0];
  state.number = number;
  const image = element("img", {
    alt: `Page ${number} of ${place.name}`,
    width: Math.round(width),
    height: Math.round(height),
  });
  const sheet = element("div", { class: "sheet" }, image);
  // The whole quotation counts: words that are boxed without it may be others that read the same.
  const certain = place.quote && found[0].boxes.length > 0;
  if (certain) found.forEach(({ boxes }, at) => sheet.append(...boxes.map((box) => boxed(box, asked[at][2]))));
  const load = () => {
    const scale = ZOOMS[state.zoom] >= 2 ? 2 * SCALE : SCALE;
    image.src = new URL(`${pagePath(place, number)}?scale=${scale}`, document.baseURI).href;
    sheet.style.inlineSize = `${ZOOMS[state.zoom] * 100}%`; // through the object model, which the policy allows
  };
  image.addEventListener("error", () =>
    sheet.replaceWith(told({ message: "This page could not be drawn.", hint: "Its text is under “Text”." })),
  );
  load();
  const isUncertain = !certain && place.quote && number === (place.page ?? 1);
  const note = isUncertain ? element("p", { class: "soft uncertain", role: "status" }, UNCERTAIN) : "";
  const frame = { class: "sheet-scroll", tabindex: "0", role: "group", "aria-label": `Page ${number}` };
  body.replaceChildren(note, element("div", frame, sheet));
  bar.replaceChildren(...controls(state, pages, load));
  body.scrollTop = 0;
  requestAnimationFrame(() => sheet.querySelector(".box")?.scrollIntoView({ block: "center", inline: "nearest" }));
}

function boxed([left, top, right, bottom], name) {
  const box = element("div", { class: `box ${name}`, "aria-hidden": "true" });
  const share = (value) => `${(Math.min(1, Math.max(0, value)) * 100).toFixed(3)}%`;
  Object.assign(box.style, {
    left: share(left),
    top: share(top),
    width: share(right - left),
    height: share(bottom - top),
  });
  return box;
}

const icon = (label, text, onclick, disabled = false) =>
  press("icon", text, onclick, { "aria-label": label, title: label, disabled });

function controls(state, pages, load) {
  const { bar, number, place } = state;
  const go = async (to, label) => {
    try {
      await turn(state, to);
      bar.querySelector(`[aria-label="${label}"]`)?.focus();
    } catch (error) {
      state.body.replaceChildren(told(error));
    }
  };
  const step = (label, text, to) => icon(label, text, () => go(to, label), to < 1 || to > pages);
  const zoomed = element("span", { class: "zoomed", role: "status" });
  const zoom = (by) => {
    state.zoom = Math.min(Math.max(state.zoom + by, 0), ZOOMS.length - 1);
    load();
    tell();
  };
  const [less, more] = [icon("Smaller", "−", () => zoom(-1)), icon("Larger", "+", () => zoom(1))];
  const tell = () => {
    zoomed.textContent = `${ZOOMS[state.zoom] * 100}%`;
    less.disabled = state.zoom === 0;
    more.disabled = state.zoom === ZOOMS.length - 1;
  };
  tell();
  const home = place.page ?? 1;
  return [
    step("Previous page", "‹", number - 1),
    element("span", { class: "page-number" }, `page ${number} of ${pages}`),
    step("Next page", "›", number + 1),
    number !== home && place.quote && press("button quiet", "To the quotation", () => go(home, "Next page")),
    element("span", { class: "apart" }),
    less,
    zoomed,
    more,
  ].filter(Boolean);
}
