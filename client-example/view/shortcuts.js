/** The keys that work wherever the focus is. */
export function listenForShortcuts({ chat, page, isWriting }, signal) {
  const commands = [
    { when: (event) => isCommand(event) && event.key.toLowerCase() === "k", run: () => page.finder.show() },
    { when: (event) => isCommand(event) && event.shiftKey && event.key.toLowerCase() === "f", run: () => page.showSearch() },
    { when: (event) => event.altKey && event.key === "ArrowUp", run: () => page.step(-1) },
    { when: (event) => event.altKey && event.key === "ArrowDown", run: () => page.step(1) },
    { when: (event) => event.key === "PageUp" && isWriting(), run: () => page.conversation.messages.scrollByPage(-1) },
    { when: (event) => event.key === "PageDown" && isWriting(), run: () => page.conversation.messages.scrollByPage(1) },
  ];
  const handle = (event) => {
    chat.signals.activity();
    if (event.key === "Escape") return escape(page);
    if (document.querySelector("dialog[open]")) return;
    const command = commands.find(({ when }) => when(event));
    if (!command) return;
    event.preventDefault();
    command.run();
  };
  addEventListener("keydown", handle, { signal });
}

const isCommand = (event) => event.ctrlKey || event.metaKey;

/** Closes what is open, the nearest first. */
function escape(page) {
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  if (page.conversation.composer.cancel()) return;
  if (page.drawers.isOpen) page.drawers.close();
  else if (page.drawers.side && page.drawers.side !== "people") page.drawers.hideSide();
  else page.conversation.messages.goToEnd();
}
