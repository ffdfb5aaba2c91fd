const hues = 10;

/** Few characters, a pictogram among them, and nothing to read. */
export const isEmojiOnly = (text) =>
  text.length <= 24 && /\p{Extended_Pictographic}/u.test(text) && !/[\p{L}\p{N}\p{P}]/u.test(text);

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dateOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const shortDate = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export const clockTime = (ms) => clock.format(ms);
export const fullTime = (ms) => full.format(ms);

/** A day as a number that is equal for two moments of one local day. */
export function dayOf(ms) {
  const at = new Date(ms);
  return Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) / 86_400_000;
}

export function dayName(ms, now = Date.now()) {
  const age = dayOf(now) - dayOf(ms);
  if (age === 0) return "Today";
  if (age === 1) return "Yesterday";
  if (age > 1 && age < 7) return weekday.format(ms);
  return new Date(ms).getFullYear() === new Date(now).getFullYear() ? date.format(ms) : dateOfYear.format(ms);
}

/** "Last seen today at 14:05"; nothing for a time that is not known. */
export function lastSeen(ms, now = Date.now()) {
  if (Number.isNaN(ms)) return null;
  const age = dayOf(now) - dayOf(ms);
  const day = age === 0 ? "today" : age === 1 ? "yesterday" : dayName(ms, now);
  return `Last seen ${day} at ${clock.format(ms)}`;
}

/** The time of today's, the day of older ones. */
export function shortTime(ms, now = Date.now()) {
  return dayOf(ms) === dayOf(now) ? clock.format(ms) : shortDate.format(ms);
}

export function initials(name) {
  const words = name.trim().split(/[\s\-_.]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)].map(firstLetter) : [firstLetter(words[0] ?? "?")];
  return letters.join("").toLocaleUpperCase();
}

const firstLetter = (word) => [...word][0];

/** One of a few colours, always the same for one id. */
export function hueOf(id) {
  let hash = 7;
  for (const character of id) hash = (hash * 31 + character.codePointAt(0)) % 65_521;
  return hash % hues;
}

/** "Ben", "Ben and Cleo", "Ben, Cleo and 3 others". */
export function listNames(names, most = 3) {
  if (names.length <= 1) return names[0] ?? "";
  if (names.length <= most) return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  const shown = names.slice(0, most - 1);
  const rest = names.length - shown.length;
  return `${shown.join(", ")} and ${rest} others`;
}

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString()} ${count === 1 ? one : many}`;

const units = ["bytes", "KB", "MB", "GB"];

/** "312 KB", "4.2 MB". */
export function fileSize(bytes) {
  if (!Number.isFinite(bytes)) return "";
  const power = Math.min(units.length - 1, Math.floor(Math.log(Math.max(1, bytes)) / Math.log(1024)));
  const value = bytes / 1024 ** power;
  return `${power > 1 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/** A message in a line, without the marks of its formatting. */
export const plain = (text) => text.replace(/```\w*|\*\*|~~|`|^(?:> ?|[-*•] )/gm, "").replace(/\s+/g, " ").trim();
