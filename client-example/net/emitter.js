/** A minimal event emitter: `on` returns the function that unsubscribes. */
export class Emitter {
  #handlers = new Map();

  on(name, handler) {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  fire(name, value) {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) handler(value);
  }
}
