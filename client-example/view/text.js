import { h } from "./dom.js";

const linkPattern = /\bhttps?:\/\/[^\s<>"']+/gi;
const sentenceMarks = ".,;:!?…";
const hues = 10;

/** Text nodes and links; nothing else a message holds becomes markup. */
export function linkify(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(linkPattern)) {
    const address = trimLink(match[0]);
    if (!isLink(address)) continue;
    parts.push(text.slice(end, match.index));
    parts.push(h("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, address));
    end = match.index + address.length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

/** Punctuation that ends a sentence, or closes a bracket opened before the link, is not part of it. */
function trimLink(address) {
  let surplus = count(address, ")") - count(address, "(");
  let end = address.length;
  for (; end > 0; end -= 1) {
    const last = address[end - 1];
    if (last === ")" && surplus > 0) surplus -= 1;
    else if (!sentenceMarks.includes(last)) break;
  }
  return address.slice(0, end);
}

const count = (text, character) => text.split(character).length - 1;

function isLink(address) {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}

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
