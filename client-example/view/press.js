/** How long a press holds up drawing, in milliseconds. A longer one selects text or moves a scroll bar. */
const longestClick = 3_000;

/** Resolves after the current press and its click; null while nothing is pressed. */
let press = null;

addEventListener("pointerdown", ({ button }) => button === 0 && begin(), { capture: true });

/**
 * Runs `work` now, or after the current press. A browser sends a click to the element that got both the press and the release: one drawn
 * anew or moved between the two gets none.
 */
export function afterPress(work) {
  if (press) press.then(() => afterPress(work));
  else work();
}

function begin() {
  const listening = new AbortController();
  const over = new Promise((resolve) => {
    for (const event of ["pointerup", "pointercancel"]) addEventListener(event, resolve, { capture: true, signal: listening.signal });
    setTimeout(resolve, longestClick);
  });
  const ended = over.then(() => {
    listening.abort();
    // The browser sends the click in the task of the release.
    return new Promise((resolve) => setTimeout(resolve));
  });
  press = ended;
  ended.then(() => {
    if (press === ended) press = null;
  });
}
