import { newId } from "../sdk/index.js";

/** Most files that wait for one message's sending. */
const mostFiles = 10;

/**
 * Files on their way to a room, and those that wait for the message they belong to. An attachment is
 * `{id, file, progress, state, error?, metadata?}`, its state `uploading`, `ready` or `failed`.
 */
export class Attachments {
  #api;
  #features;
  #onChange;
  #byRoom = new Map();

  constructor(api, features, onChange) {
    this.#api = api;
    this.#features = features;
    this.#onChange = onChange;
  }

  of(roomId) {
    return this.#byRoom.get(roomId) ?? [];
  }

  /** Begins to upload; false when there are too many. */
  add(roomId, files) {
    const here = this.of(roomId);
    const taken = files.slice(0, mostFiles - here.length);
    const fresh = taken.map((file) => ({ id: newId(), roomId, file, progress: 0, state: "uploading" }));
    this.#byRoom.set(roomId, [...here, ...fresh]);
    for (const attachment of fresh) this.#upload(attachment);
    this.#onChange(roomId);
    return taken.length === files.length;
  }

  retry(attachment) {
    Object.assign(attachment, { state: "uploading", progress: 0, error: undefined });
    this.#upload(attachment);
    this.#onChange(attachment.roomId);
  }

  remove(attachment) {
    attachment.cancel?.();
    const left = this.of(attachment.roomId).filter((other) => other !== attachment);
    if (left.length > 0) this.#byRoom.set(attachment.roomId, left);
    else this.#byRoom.delete(attachment.roomId);
    this.#onChange(attachment.roomId);
  }

  /** What is ready to be sent, which is then no longer here. */
  take(roomId) {
    const ready = this.of(roomId).filter(({ state }) => state === "ready");
    for (const attachment of ready) this.remove(attachment);
    return ready.map(({ metadata }) => metadata);
  }

  async #upload(attachment) {
    const { roomId, file } = attachment;
    const progress = (part) => {
      attachment.progress = part;
      this.#onChange(roomId);
    };
    try {
      const answer = await this.#features.attempt("files", () => {
        const { done, cancel } = this.#api.upload(roomId, file, progress);
        attachment.cancel = cancel;
        return done;
      });
      // The width and height of an image, so that its place is known before it is there.
      const { fileId, name, size, contentType, width, height } = answer;
      attachment.metadata = { fileId, name, size, contentType, width, height };
      attachment.state = "ready";
    } catch (error) {
      attachment.state = "failed";
      attachment.error = error;
    }
    attachment.cancel = undefined;
    this.#onChange(roomId);
  }
}
