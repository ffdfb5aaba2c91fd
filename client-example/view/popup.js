import { rememberFocus } from "./dom.js";

/**
 * Shows an element as a popup beside another, in the landmark of that one: in the top layer, closed by Escape and by a click
 * elsewhere, after which the focus is back where it was. Gives the function that closes it.
 */
export function showPopup(element, anchor, { onClose = () => {} } = {}) {
  element.popover = "auto";
  (anchor.closest("main, nav, aside, dialog") ?? document.body).append(element);
  const refocus = rememberFocus();
  element.addEventListener("toggle", ({ newState }) => {
    if (newState !== "closed") return;
    const hadFocus = element.contains(document.activeElement) || document.activeElement === document.body;
    element.remove();
    if (hadFocus) refocus();
    onClose();
  });
  element.showPopover();
  place(element, anchor.getBoundingClientRect());
  return () => element.isConnected && element.hidePopover();
}

const margin = 8;

/** Below the anchor, or above it where there is no room; always within the window. */
function place(element, anchor) {
  const { offsetWidth: width, offsetHeight: height } = element;
  const fitsBelow = anchor.bottom + height + margin < innerHeight;
  const top = fitsBelow ? anchor.bottom + 4 : Math.max(margin, anchor.top - height - 4);
  const wantsRight = anchor.left + width + margin > innerWidth;
  const left = wantsRight ? anchor.right - width : anchor.left;
  element.style.top = `${Math.max(margin, Math.min(top, innerHeight - height - margin))}px`;
  element.style.left = `${Math.max(margin, Math.min(left, innerWidth - width - margin))}px`;
}
