import { h, icon } from "./dom.js";
import { fileSize } from "./text.js";

const imageTypes = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);
/** The most a picture takes in a conversation, in pixels; the style sheet has the same. */
const most = { width: 360, height: 320 };
/** No side of a picture that can be tapped is shorter. */
const least = 48;

export const isImage = ({ contentType }) => imageTypes.has(contentType);

/** A file of a message: an image as itself, anything else as a card that downloads it. */
export function fileCard(file, context) {
  return isImage(file) ? picture(file, context) : card(file, context);
}

/** Its place is as large as the picture will be, before it is there. */
function picture(file, { files, actions }) {
  const frame = h("button", {
    type: "button",
    class: "picture",
    "aria-label": `Image ${file.name}. Open it`,
    title: file.name,
    data: { focus: "picture" },
    on: { click: () => actions.openPicture(file) },
  });
  const { width, height } = fitted(file);
  frame.style.width = `${width}px`;
  frame.style.aspectRatio = `${width} / ${height}`;
  files.whenSeen(frame, async () => {
    try {
      frame.append(h("img", { src: await files.address(file), alt: "", width, height, decoding: "async" }));
      frame.classList.add("is-loaded");
    } catch (error) {
      const text = error.code === "not_found" ? "The image is gone" : "The image could not be loaded";
      frame.replaceChildren(icon("alert"), h("span", {}, text));
    }
  });
  return frame;
}

function fitted({ width, height }) {
  if (!(width > 0 && height > 0)) return { width: 240, height: 180 };
  const scale = Math.min(1, most.width / width, most.height / height);
  return { width: Math.max(least, Math.round(width * scale)), height: Math.max(least, Math.round(height * scale)) };
}

function card(file, { actions }) {
  const attributes = {
    type: "button",
    class: "file",
    "aria-label": `Download ${file.name}, ${fileSize(file.size)}`,
    data: { focus: "file" },
    on: { click: () => actions.download(file) },
  };
  return h(
    "button",
    attributes,
    h("span", { class: "file-icon" }, icon("file")),
    h("span", { class: "lines" }, h("strong", {}, file.name), h("small", {}, fileSize(file.size))),
    icon("download"),
  );
}
