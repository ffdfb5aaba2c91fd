import { h, icon, reconcile } from "./dom.js";
import { isImage } from "./file-card.js";
import { fileSize } from "./text.js";

/** The files that go with the next message: how far they are, and a way to take each out again. */
export class AttachmentTray {
  #list;
  #attachments;

  constructor(list, attachments) {
    this.#list = list;
    this.#attachments = attachments;
  }

  render(roomId) {
    const here = roomId ? this.#attachments.of(roomId) : [];
    this.#list.hidden = here.length === 0;
    reconcile(this.#list, here.map((attachment) => this.#row(attachment)));
    for (const attachment of here) this.#progress(attachment);
  }

  #row(attachment) {
    const { id, state, error } = attachment;
    return { key: id, signature: `${state} ${error?.code}`, make: () => this.#element(attachment) };
  }

  #progress({ id, progress }) {
    const bar = this.#list.querySelector(`[data-key="${id}"] progress`);
    if (bar) bar.value = progress;
  }

  #element(attachment) {
    const { file, state, error } = attachment;
    const remove = {
      type: "button",
      class: "round small",
      "aria-label": `${state === "uploading" ? "Cancel" : "Remove"} ${file.name}`,
      on: { click: () => this.#attachments.remove(attachment) },
    };
    const retry = { type: "button", class: "link", on: { click: () => this.#attachments.retry(attachment) } };
    return h(
      "li",
      { class: `attachment is-${state}` },
      h("span", { class: "file-icon" }, icon(isImage({ contentType: file.type }) ? "image" : "file")),
      h(
        "span",
        { class: "lines" },
        h("strong", { title: file.name }, file.name),
        state === "uploading" && h("progress", { max: 1, value: 0, "aria-label": `Uploading ${file.name}` }),
        state === "ready" && h("small", {}, fileSize(file.size)),
        state === "failed" && h("small", { class: "bad", role: "alert" }, reason(error)),
      ),
      state === "failed" && error.retryable && h("button", retry, "Retry"),
      h("button", remove, icon("close")),
    );
  }
}

function reason({ code, message }) {
  if (code === "payload_too_large" || code === "413") return "The file is too large";
  if (code === "not_found") return "This server takes no files";
  return message;
}
