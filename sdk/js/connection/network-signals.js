/** Whether the device says that it has no network; only browsers say so. */
export const isOffline = () => globalThis.navigator?.onLine === false;

/**
 * Calls back when a browser's network comes and goes, and when its page becomes visible. Outside a browser it does nothing.
 *
 * @param {{online: () => void, offline: () => void, visible: () => void}} handlers
 * @returns a function that ends it
 */
export function watchNetwork({ online, offline, visible }) {
  const { document } = globalThis;
  if (!document) return () => {};
  const ended = new AbortController();
  const options = { signal: ended.signal };
  globalThis.addEventListener("online", online, options);
  globalThis.addEventListener("offline", offline, options);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && visible(), options);
  return () => ended.abort();
}
