/**
 * Talking to the service: requests, errors, events as they arrive. It knows addresses and nothing of the page.
 *
 * Where the service wants a token, the browser itself asks for it as a password, and sends it along.
 */

/** What went wrong, in the words of the service. */
export class Failure extends Error {
  constructor({ type, message, hint }, status = 0, wait = 0) {
    super(message);
    this.type = type;
    this.hint = hint;
    this.status = status;
    /** Seconds after which the service would be asked again; 0 where it named none. */
    this.wait = wait;
  }
}

const UNREACHABLE = {
  type: "unreachable",
  message: "The service does not answer.",
  hint: "Is footnote serve running?",
};
const CUT_OFF = { type: "cut_off", message: "The service stopped in the middle of its answer.", hint: "Ask again." };
const MOST_TRIES = 5;

const address = (path) => new URL(path, document.baseURI);

function failure(status, text, retryAfter) {
  let error = null;
  try {
    error = JSON.parse(text).error;
  } catch {
    // not one of the service's own errors: a proxy's, perhaps
  }
  const said = error?.message
    ? error
    : { type: "http", message: `The service answered with status ${status}.`, hint: "" };
  return new Failure(said, status, Number(retryAfter) || 0);
}

/** Wait so many seconds, or until the signal says stop. */
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Try again after the wait that a busy service names. */
async function again(attempt, { signal, waiting = () => {} } = {}) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Failure) || !error.wait || tries === MOST_TRIES) throw error;
      waiting(error.wait);
      await pause(error.wait, signal);
    }
  }
}

async function response(method, path, body, signal, accept) {
  const headers = { Accept: accept };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let got;
  try {
    got = await fetch(address(path), {
      method,
      headers,
      signal,
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure(UNREACHABLE);
  }
  if (!got.ok) throw failure(got.status, await got.text(), got.headers.get("Retry-After"));
  return got;
}

/** Return what the service says to a request, read from JSON. Raises Failure. */
export async function request(method, path, body, options = {}) {
  return again(async () => (await response(method, path, body, options.signal, "application/json")).json(), options);
}

/** Reads server-sent events from text that arrives in pieces. */
export class Events {
  #rest = "";

  /** Return the events that are whole now, each `{event, data}` with its data read from JSON. */
  read(text) {
    const parts = (this.#rest + text).replaceAll("\r\n", "\n").split("\n\n");
    this.#rest = parts.pop();
    return parts.map(Events.#event).filter((event) => event !== null);
  }

  static #event(part) {
    let event = "message";
    const data = [];
    for (const line of part.split("\n")) {
      const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
      if (field === "event") event = value;
      if (field === "data") data.push(value);
    }
    return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
  }
}

/**
 * Yield the events that answer a request. Raises Failure for an `error` event, and where the last one is missing.
 *
 * `last` names the event that ends a whole answer.
 */
export async function* stream(path, body, last, options = {}) {
  const got = await again(() => response("POST", path, body, options.signal, "text/event-stream"), options);
  const reader = got.body.pipeThrough(new TextDecoderStream()).getReader();
  const events = new Events();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error) => {
        if (options.signal?.aborted) throw error;
        throw new Failure(CUT_OFF);
      });
      if (done) throw new Failure(CUT_OFF);
      for (const event of events.read(value)) {
        if (event.event === "error") throw new Failure(event.data.error);
        yield event;
        if (event.event === last) return;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * Send a file and return the event that ends it. `sending(share)` and `event({event, data})` tell how far it is.
 *
 * Only XMLHttpRequest tells how much of a body has gone.
 */
export function upload(path, file, last, { signal, waiting, sending = () => {}, event = () => {} } = {}) {
  const attempt = () =>
    new Promise((resolve, reject) => {
      const sent = new XMLHttpRequest();
      const events = new Events();
      let read = 0;
      const listen = () => {
        if (sent.status < 200 || sent.status > 299) return;
        const text = sent.responseText.slice(read);
        read += text.length;
        for (const each of events.read(text)) {
          if (each.event === "error") reject(new Failure(each.data.error));
          else if (each.event === last) resolve(each.data);
          else event(each);
        }
      };
      sent.open("POST", address(path));
      sent.setRequestHeader("Content-Type", "application/octet-stream");
      sent.upload.addEventListener("progress", ({ loaded, total }) => sending(total ? loaded / total : 0));
      sent.addEventListener("progress", listen);
      sent.addEventListener("error", () => reject(new Failure(UNREACHABLE)));
      sent.addEventListener("abort", () => reject(signal.reason));
      sent.addEventListener("load", () => {
        listen();
        if (sent.status < 200 || sent.status > 299) {
          reject(failure(sent.status, sent.responseText, sent.getResponseHeader("Retry-After")));
        }
        reject(new Failure(CUT_OFF)); // does nothing where the last event has come
      });
      signal?.addEventListener("abort", () => sent.abort());
      sent.send(file);
    });
  return again(attempt, { signal, waiting });
}

/** Return the path of a collection, or of something in it. */
export const inCollection = (name, ...rest) => ["v1", "collections", name, ...rest].map(encodeURIComponent).join("/");
