/**
 * The boundary between the chat and the wire. A transport is an Emitter with
 *
 *   connect()            → Promise, resolved when frames may be sent
 *   emit(event, data)    → Promise of the server's reply; rejects with a RequestError
 *   close()              → ends the connection
 *   on("event", handler) → {event, data} of everything the server sends
 *   on("close", handler) → {code, reason}, once, only after connect() succeeded
 *
 * One transport object is one connection; a reconnect makes a new one.
 */
import { RawTransport } from "./raw-transport.js";
import { SocketIOTransport, socketIOClientURL } from "./socketio-transport.js";

export const transportNames = { raw: "WebSocket", socketio: "Socket.IO" };

/** @param {"raw"|"socketio"} kind @param {{token?: string}} identity */
export function makeTransport(kind, identity) {
  return kind === "socketio" ? new SocketIOTransport(identity) : new RawTransport();
}

/** Whether the server offers the Socket.IO client file; asked once. */
export const socketIOAvailable = (() => {
  let answer;
  return () => {
    answer ??= fetch(socketIOClientURL, { method: "HEAD" }).then(
      (response) => response.ok,
      () => false,
    );
    return answer;
  };
})();
