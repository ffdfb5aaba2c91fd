import { h } from "./dom.js";

/** Most pictures kept in memory; the ones asked for longest ago go first. */
const mostKept = 60;

/** Files of messages as the page shows them: fetched in the user's name once they come into view. */
export class Files {
  #api;
  #addresses = new Map();
  #observer;
  #waiting = new WeakMap();

  constructor(api, signal) {
    this.#api = api;
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: "400px" });
    signal.addEventListener("abort", () => {
      this.#observer.disconnect();
      for (const address of this.#addresses.values()) address.then(URL.revokeObjectURL, () => {});
    });
  }

  whenSeen(element, work) {
    this.#waiting.set(element, work);
    this.#observer.observe(element);
  }

  /** An address that shows the file in this page. */
  address(file) {
    const known = this.#addresses.get(file.fileId);
    if (known) return known;
    const address = this.#api.file(file.fileId, file.name).then((blob) => URL.createObjectURL(blob));
    address.catch(() => this.#addresses.delete(file.fileId));
    this.#addresses.set(file.fileId, address);
    if (this.#addresses.size > mostKept) this.#forgetOldest();
    return address;
  }

  async download(file) {
    const address = URL.createObjectURL(await this.#api.file(file.fileId, file.name));
    h("a", { href: address, download: file.name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  /** What shows it goes on to show it: a picture that is decoded needs its address no more. */
  #forgetOldest() {
    const [fileId, address] = this.#addresses.entries().next().value;
    this.#addresses.delete(fileId);
    address.then(URL.revokeObjectURL, () => {});
  }

  #seen(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      this.#observer.unobserve(target);
      this.#waiting.get(target)?.();
    }
  }
}
