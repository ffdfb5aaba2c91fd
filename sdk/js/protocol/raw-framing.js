import { parsed } from "./json.js";

/**
 * Event frames: `{"event","data","id"}`, on the WebSocket `/`.
 *
 * A framing is a value without I/O: texts of one WebSocket in, actions out. Its actions are
 *   {type: "ready"}                 requests may be sent
 *   {type: "event", event, data}    the server sent an event
 *   {type: "answer", id, data}      the server answered a request
 *   {type: "send", text}            the framing itself has something to say
 *   {type: "refused", error}        the server refuses the connection: `{code, message, retryable}`
 *   {type: "closed", code, reason}  the server ended the connection above the WebSocket
 */
export class RawFraming {
  path = "/";
  /** The text that ends a session for good; the WebSocket's own close does so here. */
  farewell = null;

  /** The WebSocket is open. */
  opened() {
    return [{ type: "ready" }];
  }

  /** The text of a request. */
  request(id, event, data) {
    return JSON.stringify({ event, data, id });
  }

  /** What a text from the server means. A text in another form means nothing. */
  receive(text) {
    const frame = parsed(text);
    if (frame?.event === "ack") return [{ type: "answer", id: frame.id, data: frame.data }];
    if (typeof frame?.event !== "string") return [];
    return [{ type: "event", event: frame.event, data: frame.data }];
  }
}
