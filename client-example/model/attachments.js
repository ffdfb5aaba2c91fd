import { newId } from "./outbox.js";

/** Most files that wait for one message's sending. */
const mostFiles = 10;
/** What browsers show as an image. */
const imageTypes = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

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
      const [size, answer] = await Promise.all([
        imageSize(file),
        this.#features.attempt("files", () => {
          const { done, cancel } = this.#api.upload(roomId, file, progress);
          attachment.cancel = cancel;
          return done;
        }),
      ]);
      const { fileId, name, size: bytes, contentType } = answer;
      attachment.metadata = { fileId, name, size: bytes, contentType, ...size };
      attachment.state = "ready";
    } catch (error) {
      attachment.state = "failed";
      attachment.error = error;
    }
    attachment.cancel = undefined;
    this.#onChange(roomId);
  }
}

/** An image's width and height, so that those who see it know how much room it takes before it comes. */
async function imageSize(file) {
  if (!imageTypes.has(file.type)) return {};
  try {
    const image = await createImageBitmap(file);
    const { width, height } = image;
    image.close();
    return { width, height };
  } catch {
    return {};
  }
}
