/** An answer, or a whole conversation, to take along: as plain text, Markdown, BibTeX or JSON. */

import { areRows, bearing, isBareVerdict, isSpan } from "./body.js";
import { copyButton, download, element, percent, placeOf } from "./elements.js";
import { formatOf, inlineMarks } from "./inline.js";
import { asSent } from "./names.js";
import { rowsOf } from "./rows.js";
import { length, pieces, slice } from "./spans.js";

export const NOTHING = "Nothing in these documents bears on this.";
export const CLOSEST = "Not sure. The closest is:";

/** Return the answer with the marks of its footnotes: a span or a bare verdict with its sentence, rows with headers. */
function said(answer, style) {
  const isUnsure = answer.outcome === "unsure";
  if (areRows(answer)) return rows(answer, style).join("\n");
  const rest = () => bearing(answer).map(({ citation }) => sentence(citation, style) + style.mark(citation.number));
  if (isSpan(answer) || (isUnsure && answer.form === "yes-no" && bearing(answer).length)) return rest().join(" ");
  return [withMarks(answer, style), ...(isBareVerdict(answer) ? rest() : [])].join(" ");
}

function rows(answer, style) {
  return bearing(answer).flatMap(({ citation }) => {
    const found = rowsOf(citation.quote, citation.marks, answer.question, citation);
    if (!found) return [sentence(citation, style) + style.mark(citation.number)];
    const { names, kept } = found;
    const cell = (row, column) => {
      const { text, isMarked } = row[column];
      return `${names?.[column] ? `${style.prose(names[column])}: ` : ""}${isMarked ? style.bold(text) : style.prose(text)}`;
    };
    const line = (row) => kept.filter((column) => row[column].text).map((column) => cell(row, column)).join("; ");
    const lines = found.rows.map((row) => line(row) + style.mark(citation.number));
    return lines.length > 1 || bearing(answer).length > 1 ? lines.map((each) => `- ${each}`) : lines;
  });
}

/** Return what a footnote quotes as a sentence, with the words that were copied in bold and no marks of its format. */
function sentence({ quote, marks, source }, style) {
  const copied = marks
    .filter(([start, end]) => end - start < length(quote))
    .map(([start, end]) => ({ start, end, name: "copied" }));
  const parts = pieces(quote, [...copied, ...inlineMarks(quote, formatOf(source), copied)])
    .filter(({ names }) => !names.includes("gone"))
    .map(({ text, names }) => [text.replace(/\s+/g, " "), names.includes("copied")]);
  return parts.map(([text, isCopied]) => (isCopied ? style.bold(text) : style.prose(text))).join("").trim();
}

/** Return the answer's text as it is written, with the marks of its footnotes; all at its end where none has a place. */
function withMarks(answer, style) {
  const isPlaced = bearing(answer).length > 0;
  const total = length(answer.answer);
  const ends = answer.citations.map(({ claims }) => (isPlaced ? claims.map(([, end]) => end) : [total]));
  const code = answer.code.map(([start, end]) => ({ start, end }));
  const cuts = [...new Set([0, total, ...ends.flat(), ...code.flatMap(({ start, end }) => [start, end])])];
  cuts.sort((one, other) => one - other);
  return cuts
    .slice(1)
    .map((end, place) => {
      const text = slice(answer.answer, cuts[place], end);
      const isCode = code.some((each) => each.start <= cuts[place] && end <= each.end);
      const marks = answer.citations.filter((_, at) => ends[at].includes(end)).map(({ number }) => style.mark(number));
      return (isCode ? style.code(text) : style.prose(text)) + marks.join("");
    })
    .join("");
}

/** Return the footnotes that the text refers to. */
const referred = (answer) => {
  const found = answer.citations.filter(({ claims }) => claims.length);
  return found.length ? found : answer.citations;
};

/** Return what a document is called, where it lies, and the place in it. */
const where = ({ name, label, ...place }) =>
  [name, label !== name && label, placeOf(place)].filter(Boolean).join(", ");
const oneLine = (text) => text.split(/\s+/).join(" ").trim();

/** Return the passages that stand for an answer where there is none. */
const nearest = (answer) => answer.passages.slice(0, 3).map((each) => where(each));

const PLAIN = { mark: (number) => ` [${number}]`, bold: (text) => text, prose: (text) => text, code: (text) => text };

/** Return an answer as plain text with its footnotes below. */
export function asText(answer) {
  if (answer.outcome === "none")
    return [answer.question, "", NOTHING, ...nearest(answer).map((each) => `  ${each}`)].join("\n");
  const notes = referred(answer).map(
    (each) => `[${each.number}] ${where(each)}\n    ${oneLine(each.quote)}`,
  );
  const lead = answer.outcome === "unsure" ? [CLOSEST] : [];
  const sure = `confidence ${percent(answer.confidence)}`;
  return [answer.question, "", ...lead, said(answer, PLAIN), sure, "", ...notes].join("\n");
}

// What would be an image, a link or HTML elsewhere: as the service does for chat clients, a backslash stands behind it.
const tamed = (text) => text.replace(/!(?=\[)|\](?=[([:])|<(?=[A-Za-z/!?])/g, (found) => `${found}\\`);

function fenced(code) {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `\n\n${fence}\n${code.replace(/^\n+|\n+$/g, "")}\n${fence}\n\n`;
}

const MARKDOWN = {
  mark: (number) => `[^${number}]`,
  bold: (text) => text.replace(/^(\s*)([^]*?)(\s*)$/, (_, before, words, after) => `${before}**${tamed(words)}**${after}`),
  prose: (text) => tamed(text),
  code: fenced,
};

/** Return an answer as Markdown: question, answer, and its footnotes as footnotes of Markdown. */
export function asMarkdown(answer, level = 2) {
  const head = `${"#".repeat(level)} ${tamed(oneLine(answer.question))}`;
  const readAs = answer.read_as ? [`*Read as: ${tamed(oneLine(answer.read_as))}*`] : [];
  if (answer.outcome === "none")
    return [
      head,
      ...readAs,
      NOTHING,
      nearest(answer)
        .map((each) => `- ${tamed(each)}`)
        .join("\n"),
    ].join("\n\n");
  const lead = answer.outcome === "unsure" ? [`**${CLOSEST}**`] : [];
  const notes = referred(answer).map(
    (each) => `[^${each.number}]: ${tamed(where(each))}: “${tamed(oneLine(each.quote))}”`,
  );
  return [
    head,
    ...readAs,
    ...lead,
    said(answer, MARKDOWN)
      .replace(/\n{3,}/g, "\n\n")
      .trim(),
    `Confidence: ${percent(answer.confidence)}`,
    notes.join("\n"),
  ].join("\n\n");
}

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

const asJson = (answer) => JSON.stringify(Array.isArray(answer) ? answer.map(asSent) : asSent(answer), null, 2);

/** Return the menu that copies an answer in one of four forms. */
export function copyMenu(answer) {
  const forms = [
    ["Markdown", asMarkdown],
    ["Plain text", asText],
    ...(answer.citations.length ? [["BibTeX", asBibtex]] : []),
    ["JSON", asJson],
  ];
  return menu(
    "Copy as",
    forms.map(([name, form]) => copyButton(name, () => form(answer), { class: "choice" })),
  );
}

/** Return the menu that saves the answers of a conversation, which `answers()` gives, as a file. */
export function exportMenu(answers) {
  const save = (name, type, text) => () => download(name, text(answers()), type);
  const markdown = (all) =>
    `# ${oneLine(all[0]?.question ?? "Conversation")}\n\n${all.map((each) => unmixed(each)).join("\n\n---\n\n")}\n`;
  const choice = (label, onclick) =>
    element("button", { type: "button", class: "choice", onclick: (event) => (onclick(), close(event.target)) }, label);
  const close = (button) => (button.closest("details").open = false);
  return menu("Export", [
    choice("Markdown", save("conversation.md", "text/markdown", markdown)),
    choice(
      "Plain text",
      save("conversation.txt", "text/plain", (all) => `${all.map(asText).join("\n\n\n")}\n`),
    ),
    choice("JSON", save("conversation.json", "application/json", asJson)),
  ]);

  /** Return an answer as Markdown with footnotes that no other answer of the conversation shares. */
  function unmixed(answer) {
    const turn = answers().indexOf(answer) + 1;
    return asMarkdown(answer).replace(/\[\^(\d+)\]/g, `[^${turn}-$1]`);
  }
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
