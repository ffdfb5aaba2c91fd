/** A minimal event emitter. */
export class Emitter {
  #handlers = new Map();

  /** Calls the handler on every such event. @returns a function that ends it */
  on(name, handler) {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  /** Whether the event has a handler. */
  hasHandler(name) {
    return (this.#handlers.get(name)?.size ?? 0) > 0;
  }

  /** For the object that has the events. */
  fire(name, value) {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) handler(value);
  }
}
