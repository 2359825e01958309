/** An answer, or a whole conversation, to take along: as Markdown or plain text, which the service writes, BibTeX or JSON. */

import { copyButton, download, element, placeOf, press } from "./elements.js";

export const NOTHING = "Nothing in these documents bears on this.";
export const CLOSEST = "Not sure. The closest is:";

const oneLine = (text) => text.split(/\s+/).join(" ").trim();
const TEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
const inTex = (text) => oneLine(text).replace(/[\\~^{}%&$#_]/g, (sign) => TEX[sign] ?? `\\${sign}`);

/** Return the documents that an answer cites as BibTeX, one entry each, with what was quoted of them as a note. */
export function asBibtex(answer) {
  const keys = new Set();
  const documents = new Map();
  for (const each of answer.citations) documents.set(each.document, [...(documents.get(each.document) ?? []), each]);
  const entries = [...documents.values()].map((cited) => {
    const [first] = cited;
    const stem =
      first.name
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-|-$/g, "")
        .slice(0, 30) || "document";
    let key = stem;
    for (let more = 2; keys.has(key); more += 1) key = `${stem}-${more}`;
    keys.add(key);
    const note = cited
      .map((each) => [placeOf(each), `“${oneLine(each.quote).slice(0, 300)}”`].filter(Boolean).join(": "))
      .join("; ");
    const fields = {
      title: `{${inTex(first.title || first.name)}}`,
      howpublished: inTex(first.label ?? first.source),
      note: inTex(note),
    };
    return `@misc{${key},\n${Object.entries(fields)
      .map(([name, value]) => `  ${name} = {${value}}`)
      .join(",\n")}\n}`;
  });
  return entries.join("\n\n");
}

const asJson = (answer) => JSON.stringify(answer, (key, value) => (key === "texts" ? undefined : value), 2);

/** Return the menu that copies an answer; one that an earlier version of the page kept has no texts. */
export function copyMenu(answer) {
  const forms = [
    ...(answer.texts ? [["Markdown", () => answer.texts.markdown], ["Plain text", () => answer.texts.plain]] : []),
    ...(answer.citations.length ? [["BibTeX", () => asBibtex(answer)]] : []),
    ["JSON", () => asJson(answer)],
  ];
  return menu("Copy as", forms.map(([name, text]) => copyButton(name, text, { class: "choice" })));
}

/** Return the answers of a conversation as one text in Markdown, in which each answer has footnotes of its own. */
function threadInMarkdown(answers) {
  // what stands in code, or behind a backslash, is no footnote
  const unmixed = (text, turn) =>
    text.replace(/(`+)[^]*?\1|\\.|\[\^(\d+)\]/g, (found, _, number) => (number ? `[^${turn}-${number}]` : found));
  return answers.map(({ texts }, place) => unmixed(texts.markdown, place + 1)).join("\n\n---\n\n");
}

/** Return the menu that saves the answers of a conversation, which `answers()` gives, as a file. */
export function exportMenu(answers) {
  const written = () => answers().filter(({ texts }) => texts);
  const forms = [
    ["Markdown", "md", "text/markdown", () => `# ${oneLine(answers()[0].question)}\n\n${threadInMarkdown(written())}\n`],
    ["Plain text", "txt", "text/plain", () => `${written().map(({ texts }) => texts.plain).join("\n\n\n")}\n`],
    ["JSON", "json", "application/json", () => asJson(answers())],
  ];
  const made = menu(
    "Export",
    forms.map(([label, ending, type, text]) =>
      press("choice", label, () => {
        download(`conversation.${ending}`, text(), type);
        made.open = false;
      }),
    ),
  );
  return made;
}

/** Return a button that opens a few choices below it; Escape and a click elsewhere close it. */
export function menu(label, choices) {
  const made = element(
    "details",
    { class: "menu" },
    element("summary", { class: "button quiet" }, label),
    element("div", { class: "choices" }, choices),
  );
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !made.open) return;
    event.stopPropagation();
    made.open = false;
    made.querySelector("summary").focus();
  });
  made.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !made.contains(event.relatedTarget)) made.open = false;
  });
  return made;
}
