/** The conversation: questions and their answers one below the other, and what is told while an answer comes about. */

import { readAddress, showAddress } from "./address.js";
import { answerCard } from "./answer.js";
import { exportMenu } from "./copying.js";
import { byId, counted, element, foreign, press, shown, told } from "./elements.js";
import { ago, recalled, remember } from "./history.js";
import { chosenCollection, collectionNames, refresh } from "./library.js";
import { askedCollections, askedWith, differences, inAddress, openOptions, takeAddress } from "./options.js";
import { passageList, placeOfCitation, placeOfPassage } from "./places.js";
import { closeReader, isReading, onPlace, openPlace } from "./reader.js";
import { request, stream } from "./service.js";

const MOST_BEFORE = 20; // earlier questions that the service takes
const STAGES = { queued: "Waiting for a turn…", search: "Looking for passages…", read: "Reading…" };
const WITH_FILTER = "Take the condition above the question away, or set another one under Options.";
const WITH_NOTHING = "Add documents, or choose another collection.";
const ORDER = { answer: 2, unsure: 1, none: 0 };

let turns = []; // {question, node, key, result} in their order; result is {at, answers} once there is one
let under = null; // {controller, turn} of the question that is being answered
let listing = false; // whether a question waits for the list of collections
let shownFor = 0; // counts the addresses that were followed: one that is overtaken stops
const answered = new Map(); // what was answered since the page was opened, by key

/** Wire the form and the reader's addresses. */
export function startAsking() {
  const form = byId("ask-form");
  const question = byId("question");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin(question.value.trim(), event.submitter?.value === "search");
  });
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit(byId("ask"));
  });
  question.addEventListener("input", () => {
    question.removeAttribute("aria-invalid");
    fit(question);
  });
  byId("anew").addEventListener("click", beginAnew);
  byId("stop").addEventListener("click", stop);
  byId("export").append(exportMenu(() => turns.flatMap(({ result }) => result?.answers.slice(0, 1) ?? [])));
  onPlace((place, replace) => {
    const open = place?.kind === "note" || place?.kind === "passage" ? place : null;
    if (place && !open) return;
    if (readAddress(location.hash).view === "ask") {
      const last = turns.length === open?.turn;
      showAddress(address({ [open?.kind ?? "note"]: open?.number, turn: open && !last ? open.turn : "" }), { replace });
    }
  });
}

/** Let the field be as high as what is written in it. */
export function fit(field) {
  field.style.blockSize = "auto";
  field.style.blockSize = `${Math.min(field.scrollHeight + 2, 240)}px`;
}

/** Return the address of the conversation as it stands. */
const address = (open = {}) => ({
  view: "ask",
  ...(turns.length ? { questions: asked(), ...inAddress() } : {}),
  ...open,
});

/** Return the address of the conversation, to come back to it. */
export const conversation = () => address();

const asked = () => turns.filter(({ key }) => key).map(({ question }) => question);

/** Stop what is being answered, and give the question back to the field; false where nothing is. */
export function stop() {
  if (!under) return false;
  const { controller, turn } = under;
  controller.abort();
  remove(turn);
  write(turn.question);
  showAddress(address(), { replace: true });
  say("Stopped.");
  return true;
}

/** Put a question into the field, ready to be changed or asked. */
export function write(question) {
  const field = byId("question");
  field.value = question;
  fit(field);
  field.focus();
}

/** Begin a conversation anew: the next question stands alone. */
export function beginAnew() {
  forgetConversation();
  closeReader();
  showAddress(address());
  write("");
}

/** Take all questions and answers away. */
export function forgetConversation() {
  if (under) under.controller.abort();
  under = null;
  busy(false);
  for (const turn of turns) turn.node.remove();
  turns = [];
  say("");
  frame();
}

function remove(turn) {
  turns = turns.filter((each) => each !== turn);
  turn.node.remove();
  frame();
}

/** Show what belongs to a conversation, or what stands where there is none yet. */
function frame() {
  const some = turns.length > 0;
  document.body.classList.toggle("conversing", some);
  byId("start").hidden = some;
  byId("anew").hidden = !some;
  byId("export").hidden = !turns.some(({ result }) => result);
  byId("turns").hidden = !some;
  byId("question").placeholder = some ? "Ask a follow-up" : (byId("question").dataset.example ?? "");
  fit(byId("question"));
}

/** Ask a question, with `search` only for passages. */
export function begin(question, search = false) {
  if (!question) {
    byId("question").setAttribute("aria-invalid", "true");
    byId("question").focus();
    say("Type a question first.");
    return;
  }
  if (!chosenCollection()) return void beginOnceListed(question, search);
  if (under) stop();
  closeReader(false);
  openOptions(false);
  byId("question").value = "";
  fit(byId("question"));
  const turn = add(question, search ? "" : keyOf(question));
  if (!search) showAddress(address());
  turn.node.focus({ preventScroll: true });
  turn.node.scrollIntoView({ block: "start" });
  work(turn, search ? find : ask);
}

/** Ask a question that came before the list of collections; where the list does not come, the question stays in the field. */
async function beginOnceListed(question, search) {
  if (listing) return;
  listing = true;
  say("Fetching the collections…");
  await refresh();
  listing = false;
  say("");
  if (chosenCollection()) begin(question, search);
}

/** Ask what an address says, as far as it is not shown already, and open the footnote that it names. */
export async function followAddress(wanted) {
  const round = ++shownFor;
  const missing = wanted.questions.length ? wanted.collections.filter((name) => !collectionNames().includes(name)) : [];
  if (missing.length) return refuse(wanted.questions[0], missing);
  const before = JSON.stringify(inAddress());
  if (wanted.questions.length) await takeAddress(wanted);
  if (round !== shownFor) return;
  const same = before === JSON.stringify(inAddress());
  const kept = asked();
  let common = 0;
  while (same && common < kept.length && kept[common] === wanted.questions[common]) common += 1;
  if (common < kept.length || turns.length > kept.length) {
    const left = turns.filter(({ key }) => key).slice(0, common);
    if (under && !left.includes(under.turn)) under.controller.abort();
    for (const turn of turns) if (!left.includes(turn)) turn.node.remove();
    turns = left;
    frame();
  }
  for (const question of wanted.questions.slice(common)) {
    const turn = add(question, keyOf(question));
    const earlier = answered.get(turn.key) ?? recalled(turn.key);
    if (earlier) present(turn, earlier);
    else await work(turn, ask);
    if (round !== shownFor || !turn.result) return;
  }
  if (common < wanted.questions.length) turns.at(-1)?.node.scrollIntoView({ block: "start" });
  openAt(wanted);
}

/** Say that what an address asks cannot be asked: these collections do not exist. */
function refuse(question, missing) {
  forgetConversation();
  closeReader(false);
  const quoted = (names) => names.map((name) => `“${name}”`).join(", ");
  const hint = `There are: ${quoted(collectionNames()) || "none yet"}. Nothing was asked.`;
  add(question, "").body.append(told({ message: `There is no collection ${quoted(missing)}.`, hint }));
}

/** Show an answer that was given earlier, with the questions before it; where its collection is gone, it alone. */
export async function showEarlier(entry) {
  const [earlier, question, how] = JSON.parse(entry.key);
  if (how.collections.every((name) => collectionNames().includes(name))) {
    const wanted = { view: "ask", questions: [...earlier, question], ...how };
    showAddress(wanted);
    await followAddress(readAddress(location.hash));
  } else {
    forgetConversation();
    present(add(question, entry.key), entry);
  }
  turns.at(-1)?.node.focus();
}

function openAt({ note, passage, turn }) {
  const at = turns[turn ? Number(turn) - 1 : turns.length - 1];
  const answer = at?.result?.answers[0];
  const citation = answer?.citations.findIndex(({ number }) => number === Number(note)) ?? -1;
  const find = note ? citation : (answer?.passages.findIndex(({ rank }) => rank === Number(passage)) ?? -1);
  if (find < 0) {
    if (isReading()) closeReader();
    return;
  }
  const places = note
    ? answer.citations.map((each) => placeOfCitation(answer, each))
    : answer.passages.map((each) => placeOfPassage(answer.collection, each));
  const opener = at.node.querySelector(note ? `.footnotes [data-number="${Number(note)}"] .open` : ".passages .open");
  openerOf(at)(places, find, opener);
}

/** Return what opens places of a turn in the reader. */
const openerOf = (turn) => (places, index, opener) => {
  const number = turns.indexOf(turn) + 1;
  openPlace(places.map((place) => ({ ...place, turn: number })), index, opener);
};

/** Return the key of a question: what was asked before it, in what, and how. */
const keyOf = (question) => JSON.stringify([before(question), question, inAddress()]);

function before(question) {
  const earlier = asked();
  return (earlier.at(-1) === question ? earlier.slice(0, -1) : earlier).slice(-MOST_BEFORE); // asked again, it follows the same
}

function add(question, key) {
  const heading = element("h2", { class: "asked" }, foreign(question));
  heading.id = `asked-${Date.now()}-${turns.length}`;
  const body = element("div", { class: "turn-body" });
  const how = differences();
  const note = how && element("p", { class: "soft how" }, "Asked with: ", foreign(how));
  const node = element("li", { class: "turn", tabindex: "-1", "aria-labelledby": heading.id }, heading, note || null, body);
  const turn = { question, key, node, body, history: before(question), result: null };
  byId("turns").append(node);
  turns.push(turn);
  frame();
  return turn;
}

async function work(turn, doing) {
  const controller = new AbortController();
  under = { controller, turn };
  busy(true);
  try {
    await doing(turn, controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return;
    say("");
    const again = press("button", "Ask again", () => work(turn, doing));
    turn.body.replaceChildren(told(inPageWords(error)), element("p", {}, again));
  } finally {
    if (under?.controller === controller) {
      under = null;
      busy(false);
    }
  }
}

/** Return an error with a hint at what can be done here, where the service names a command. */
const inPageWords = (error) => ({
  message: error.message,
  hint: /--filter/.test(error.hint) ? WITH_FILTER : /footnote index/.test(error.hint) ? WITH_NOTHING : error.hint,
});

const options = (signal) => ({
  signal,
  waiting: (seconds) => say(`The service is busy; asking again in ${counted(Math.ceil(seconds), "second")}…`),
});

async function ask(turn, signal) {
  say(STAGES.search);
  const coming = element("article", { class: "answer coming" });
  turn.body.replaceChildren(coming);
  const names = askedCollections();
  const answers = await Promise.all(
    names.map((collection, at) => answerFrom(collection, turn, at === 0 ? coming : null, signal)),
  );
  answers.sort((one, other) => ORDER[other.outcome] - ORDER[one.outcome] || other.confidence - one.confidence);
  const result = { at: Date.now(), answers };
  answered.set(turn.key, result);
  present(turn, result);
  remember(turn.key, answers);
  say(summary(answers[0]));
}

/** Return the answer of one collection; with `coming`, what is read and written for it is shown there. */
async function answerFrom(collection, turn, coming, signal) {
  const body = {
    question: turn.question,
    history: turn.history,
    collection,
    explain: true,
    texts: true,
    stream: true,
    ...askedWith(),
  };
  const draft = element("p", { class: "text draft", dir: "auto", "aria-hidden": "true" });
  let written = "";
  for await (const { event, data } of stream("v1/ask", body, "answer", options(signal))) {
    if (event === "answer") return data;
    if (!coming) continue;
    if (event === "stage") say(STAGES[data.stage] ?? "Working…");
    else if (event === "passages") {
      coming.append(...reading(collection, data.passages, turn));
      say(`Reading ${counted(data.passages.length, "passage")}…`);
    } else if (event === "writing") {
      if (!written) coming.prepend(element("p", { class: "soft" }, "A draft, not checked yet:"), draft);
      written += data.text;
      draft.textContent = shown(written);
    }
  }
  throw new Error("The service ended without an answer.");
}

/** Return the passages that are read, the first of them with the part that fits. */
function reading(collection, passages, turn) {
  const places = passages.map((passage) => placeOfPassage(collection, passage));
  const list = passageList(passages, places, openerOf(turn), turn.question);
  list.classList.add("reading-list");
  return [element("h3", {}, "Reading these passages"), list];
}

function present(turn, result) {
  turn.result = result;
  const open = openerOf(turn);
  const [best, ...others] = result.answers;
  const age = Date.now() - result.at;
  const again = press("link", "Ask again", () => work(turn, ask));
  const notes = [
    result.answers.length > 1 &&
      element("p", { class: "soft from" }, "From the collection ", foreign(best.collection), ":"),
    answerCard(best, open),
    ...others.map((other) => {
      const what = { answer: "another answer", unsure: "not sure", none: "nothing on this" }[other.outcome];
      const summary = element("summary", {}, foreign(other.collection), `: ${what}`);
      return element("details", { class: "other" }, summary, answerCard(other, open));
    }),
    age > 60_000 && element("p", { class: "soft kept" }, `Answered ${ago(result.at)}. `, again),
  ];
  turn.body.replaceChildren(...notes.filter(Boolean));
  frame();
}

/** Return what a screen reader is told of an answer. */
function summary(answer) {
  const notes = counted(answer.citations.length, "footnote");
  if (answer.outcome === "unsure") return `Not sure. The closest evidence has ${notes}.`;
  if (answer.outcome === "answer") return `Answered with ${notes}.`;
  return `Nothing in these documents bears on this. ${counted(answer.passages.length, "nearest passage")}.`;
}

async function find(turn, signal) {
  say(STAGES.search);
  const { filters } = askedWith();
  const found = await Promise.all(
    askedCollections().map((collection) =>
      request("POST", "v1/search", { query: turn.question, collection, k: 10, filters }, options(signal)),
    ),
  );
  const lists = found.flatMap(({ collection, passages }) => {
    const places = passages.map((passage) => placeOfPassage(collection, passage));
    const list = places.length ? passageList(passages, places, openerOf(turn), turn.question) : element("p", {}, "Nothing was found.");
    return [found.length > 1 && element("h3", {}, foreign(collection)), list].filter(Boolean);
  });
  const lead = element("p", { class: "soft" }, "Passages that fit, without an answer");
  turn.body.replaceChildren(element("article", { class: "answer" }, lead, lists));
  const count = found.reduce((sum, { passages }) => sum + passages.length, 0);
  say(`${counted(count, "passage")} found.`);
}

/** Return the turn that keys are meant for: the one with the focus, else the latest. */
export const currentTurn = () => document.activeElement?.closest(".turn") ?? turns.at(-1)?.node ?? null;

function say(text) {
  byId("said").textContent = text;
}

function busy(is) {
  byId("stop").hidden = !is;
  byId("turns").setAttribute("aria-busy", String(is));
  document.body.classList.toggle("working", is);
}
