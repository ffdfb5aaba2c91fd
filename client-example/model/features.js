/** What this server does not know; it turns out when it is asked. Parts of the page that need it go out of sight. */
export class Features {
  #missing = new Set();
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  has(name) {
    return !this.#missing.has(name);
  }

  /** Passes on what the work gives; a server that does not know what it asks for is remembered. */
  async attempt(name, work) {
    try {
      return await work();
    } catch (error) {
      if (error.code === "unknown_event" || error.isUnknownPath) this.#miss(name);
      throw error;
    }
  }

  #miss(name) {
    this.#missing.add(name);
    this.#onChange(name);
  }
}
