import { byId, h } from "./dom.js";

/** A picture as large as the window. */
export class PictureDialog {
  #dialog = byId("picture-dialog");
  #files;

  constructor(files) {
    this.#files = files;
    byId("picture-close").onclick = () => this.#dialog.close();
    this.#dialog.onclick = (event) => event.target === this.#dialog && this.#dialog.close();
  }

  async show(file) {
    byId("picture-name").textContent = file.name;
    byId("picture-download").onclick = () => this.#files.download(file);
    const image = h("img", { alt: file.name });
    byId("picture-frame").replaceChildren(image);
    this.#dialog.showModal();
    image.src = await this.#files.address(file);
  }
}
