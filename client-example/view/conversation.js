import { AttachmentTray } from "./attachment-tray.js";
import { Composer } from "./composer.js";
import { composerForm } from "./composer-form.js";
import { byId } from "./dom.js";
import { acceptFiles } from "./drop-zone.js";
import { renderHeading } from "./heading.js";
import { messageCommands } from "./message-commands.js";
import { MessageList } from "./message-list.js";
import { MessageToolbar } from "./message-toolbar.js";

/** The open room: its heading, its messages, and where the next one is written. */
export class Conversation {
  #chat;
  #notice;
  #tray;
  #parts = composerForm({ id: "text", hasFiles: true });

  /**
   * @param page what commands of messages need, see messageCommands
   * @param context {people, files} of message rows
   */
  constructor(chat, page, context, signal) {
    this.#chat = chat;
    this.#notice = page.notice;
    const room = () => chat.active;
    const commands = messageCommands(chat, room, { ...page, composer: () => this.composer });
    this.messages = new MessageList(chat, { ...context, actions: commands }, signal);
    const toolbar = new MessageToolbar(chat, this.messages.element, room, commands, signal);
    this.messages.onDrawn = () => toolbar.refresh();
    this.composer = new Composer(chat, this.#parts, () => this.#place(), {
      sent: () => this.messages.goToEnd(),
      messages: () => chat.active?.timeline.messages ?? [],
      files: () => chat.attachments.take(chat.active.id),
    });
    this.composer.attachTo(byId("composer"));
    this.#tray = new AttachmentTray(this.#parts.tray, chat.attachments);
    this.#takeFiles(signal);
  }

  render() {
    renderHeading(this.#chat);
    this.messages.render();
    this.renderComposer();
  }

  renderComposer() {
    this.#tray.render(this.#chat.active?.id);
    this.#parts.attach.hidden = !this.#chat.features.has("files");
    this.composer.render();
  }

  #takeFiles(signal) {
    const { attach, file, text } = this.#parts;
    attach.onclick = () => file.click();
    file.onchange = () => {
      this.#add([...file.files]);
      file.value = "";
    };
    const isOpen = () => Boolean(this.#chat.active) && !this.#chat.active.error && this.#chat.features.has("files");
    acceptFiles(document.querySelector(".conversation"), text, { isOpen, onFiles: (files) => this.#add(files) }, signal);
  }

  #add(files) {
    if (!this.#chat.attachments.add(this.#chat.active.id, files)) this.#notice("No more files go with one message.");
    this.composer.focus();
  }

  #place() {
    const room = this.#chat.active;
    return room && { room, key: room.id, placeholder: `Message ${room.title(this.#chat.me, this.#chat.directory)}` };
  }
}
