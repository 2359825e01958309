/** Asking: the form, what is told while an answer comes about, and the answer in its place. */

import { answerCard } from "./answer.js";
import { byId, counted, element, foreign, percent, placeOf, shown, told } from "./elements.js";
import { remember } from "./history.js";
import { passageList, placeOfPassage } from "./places.js";
import { closeReader, openPlace } from "./reader.js";
import { request, stream } from "./service.js";

const MOST_BEFORE = 20; // that the service takes
const STAGES = { queued: "Waiting for a turn…", search: "Looking for passages…", read: "Reading…" };

let collectionNow = () => null;
let thread = []; // the questions before, oldest first, which the next one may refer to
let under = null; // the AbortController of the question that is being answered

/** Wire the form; `collection()` names the collection to ask. */
export function startAsking(collection) {
  collectionNow = collection;
  const form = byId("ask-form");
  const question = byId("question");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(question.value.trim(), event.submitter?.value === "search" ? search : ask);
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
  byId("anew").addEventListener("click", () => {
    beginAnew();
    question.focus(); // the button goes away
  });
  byId("stop").addEventListener("click", () => {
    stop();
    question.focus(); // the button goes away
  });
}

/** Let the field be as high as what is written in it. */
function fit(field) {
  field.style.blockSize = "auto";
  field.style.blockSize = `${Math.min(field.scrollHeight + 2, 240)}px`;
}

/** Stop what is being answered; false where nothing is. */
export function stop() {
  if (!under) return false;
  under.abort();
  return true;
}

/** Let the next question stand alone. */
export function beginAnew() {
  follow([]);
}

/** Let the next question refer to these, and show them. */
function follow(questions) {
  thread = questions.slice(-MOST_BEFORE);
  byId("thread").hidden = thread.length === 0;
  byId("before").replaceChildren(...thread.map((question) => element("li", {}, foreign(question))));
}

/** Show an answer that was given earlier, and put its question into the form. */
export function showAgain(answer) {
  stop();
  byId("question").value = answer.question;
  fit(byId("question"));
  closeReader();
  follow([answer.read_as || answer.question]);
  show(answerCard(answer, openPlace));
  say("An earlier answer, as it was given then.");
  byId("result").scrollIntoView({ block: "nearest" });
  byId("result").focus({ preventScroll: true });
}

async function run(question, work) {
  if (!question) {
    byId("question").setAttribute("aria-invalid", "true");
    byId("question").focus();
    say("Type a question first.");
    return;
  }
  stop();
  const controller = new AbortController();
  under = controller;
  closeReader();
  busy(true);
  try {
    await work(question, controller.signal);
  } catch (error) {
    if (controller.signal.aborted) {
      if (under === controller) say("Stopped.");
      byId("result").querySelector(".coming")?.remove();
    } else {
      say("");
      show(told(error));
    }
  } finally {
    if (under === controller) {
      under = null;
      busy(false);
    }
  }
}

const options = (signal) => ({
  signal,
  waiting: (seconds) => say(`The service is busy; asking again in ${counted(Math.ceil(seconds), "second")}…`),
});

async function ask(question, signal) {
  const history = thread.at(-1) === question ? thread.slice(0, -1) : thread; // asked again, it follows what it followed
  const body = { question, history, collection: collectionNow(), explain: true, stream: true };
  const careful = byId("careful").value;
  if (careful) body.max_error = Number(careful);
  const coming = element("article", { class: "answer coming" }, element("h2", {}, foreign(question)));
  const draft = element("p", { class: "text draft", dir: "auto", "aria-hidden": "true" });
  let written = "";
  show(coming);
  say(STAGES.search);
  for await (const { event, data } of stream("v1/ask", body, "answer", options(signal))) {
    if (event === "stage") say(STAGES[data.stage] ?? "Working…");
    else if (event === "passages") {
      coming.append(reading(data.passages));
      say(`Reading ${counted(data.passages.length, "passage")}…`);
    } else if (event === "writing") {
      if (!written) coming.append(element("p", { class: "soft" }, "A draft, not checked yet:"), draft);
      written += data.text;
      draft.textContent = shown(written);
    } else if (event === "answer") {
      show(answerCard(data, openPlace));
      follow([...history, question]);
      remember(data);
      say(summary(data));
    }
  }
}

function reading(passages) {
  return element(
    "ul",
    { class: "reading-list" },
    passages.map((passage) => element("li", {}, foreign(passage.name), placeOf(passage) && `, ${placeOf(passage)}`)),
  );
}

function summary(answer) {
  const notes = `${counted(answer.citations.length, "footnote")}, confidence ${percent(answer.confidence)}`;
  if (answer.outcome === "unsure") return `Not sure. The closest evidence has ${notes}.`;
  if (answer.outcome === "answer") return `Answered with ${notes}.`;
  return `Nothing in these documents bears on this. ${counted(answer.passages.length, "nearest passage")}.`;
}

async function search(query, signal) {
  const body = { query, collection: collectionNow(), k: 10 };
  say(STAGES.search);
  const found = await request("POST", "v1/search", body, options(signal));
  const places = found.passages.map((passage) => placeOfPassage(found.collection, passage));
  const list = passageList(found.passages, places, openPlace);
  const heading = element("h2", {}, "Passages for ", element("q", {}, foreign(found.query)));
  show(element("article", { class: "answer" }, heading, places.length ? list : element("p", {}, "Nothing was found.")));
  say(`${counted(places.length, "passage")} found.`);
}

function show(...nodes) {
  byId("hints").hidden = true;
  byId("result").replaceChildren(...nodes);
}

function say(text) {
  byId("said").textContent = text;
}

function busy(is) {
  byId("stop").hidden = !is;
  byId("result").setAttribute("aria-busy", String(is));
  document.body.classList.toggle("working", is);
}
