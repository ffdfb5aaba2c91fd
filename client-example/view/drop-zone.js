/** Files that are dropped on the conversation, or pasted into it. */
export function acceptFiles(zone, text, { isOpen, onFiles }, signal) {
  let depth = 0;
  const show = (isOver) => zone.toggleAttribute("data-drop", isOver);
  const carriesFiles = (event) => isOpen() && [...(event.dataTransfer?.types ?? [])].includes("Files");
  const listen = (event, handler, target = zone) => target.addEventListener(event, handler, { signal });

  listen("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  listen("dragover", (event) => carriesFiles(event) && event.preventDefault());
  listen("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    show(depth > 0);
  });
  listen("drop", (event) => {
    depth = 0;
    show(false);
    if (!carriesFiles(event)) return;
    event.preventDefault();
    onFiles([...event.dataTransfer.files]);
  });
  listen(
    "paste",
    (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 || !isOpen()) return;
      event.preventDefault();
      onFiles(files);
    },
    text,
  );
}
