/** Who this tab is, and what of it is remembered where. A token never reaches the address bar. */

const lastNameKey = "chat.lastName";
const tokenKey = "chat.token";
export const longestId = 128;

/** A stable id for a name: "Ada Lovelace" is `ada-lovelace` in every tab and on every device. */
export function userIdFrom(name) {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .normalize("NFC")
    .toLowerCase()
    .replace(/[\s\p{C}]+/gu, "-")
    .slice(0, longestId)
    .replace(/^-+|-+$/g, "");
}

export const roomIdFrom = userIdFrom;

/** What this tab asks for: `?user=` signs in by name, `?room=` opens a room. */
export function readAddress() {
  const query = new URLSearchParams(location.search);
  return { user: query.get("user")?.trim() || null, room: query.get("room")?.trim() || null };
}

/** @param options isStep: the browser's back button leads to the address before */
export function writeAddress({ user, room }, { isStep = false } = {}) {
  const url = new URL(location.pathname, location.origin);
  if (user) url.searchParams.set("user", user);
  if (room) url.searchParams.set("room", room);
  if (isStep) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
}

export const lastName = {
  get: () => localStorage.getItem(lastNameKey) ?? "",
  set: (name) => localStorage.setItem(lastNameKey, name),
};

/** Kept for this tab only, so that a reload stays signed in and closing the tab signs out. */
export const tabToken = {
  get: () => sessionStorage.getItem(tokenKey),
  set: (token) => sessionStorage.setItem(tokenKey, token),
  clear: () => sessionStorage.removeItem(tokenKey),
};
