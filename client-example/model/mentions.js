/** Mentions: `<@userId>` on the wire, `@Name` where people write and read. */

const onWire = /<@([^<>\s]{1,128})>/g;
/** Most mentions of one message. */
const mostMentions = 50;
/** How long the text after an @ may be and still be a name that is being typed. */
const longestQuery = 40;

/** The text as people read it. */
export const readable = (text, nameOf) => String(text).replace(onWire, (_, userId) => `@${nameOf(userId)}`);

/** The parts of a text: strings, and `{userId}` for each mention. */
export function mentionParts(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(onWire)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push({ userId: match[1] });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

/**
 * The text as it is sent.
 * @param {Map<string, string>} people user ids by the name that was picked
 * @returns {{message: string, mentions: string[]}}
 */
export function encodeMentions(text, people) {
  const names = [...people.keys()].sort((a, b) => b.length - a.length);
  if (names.length === 0) return { message: text, mentions: mentioned(text) };
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])@(${names.map(RegExp.escape ?? escaped).join("|")})(?![\\p{L}\\p{N}])`, "gu");
  const message = text.replace(pattern, (_, name) => `<@${people.get(name)}>`);
  return { message, mentions: mentioned(message) };
}

/** The text for editing, and the people its names mean. */
export function decodeMentions(text, nameOf) {
  const people = new Map();
  const readableText = text.replace(onWire, (whole, userId) => {
    const name = nameOf(userId);
    if (people.has(name) && people.get(name) !== userId) return whole;
    people.set(name, userId);
    return `@${name}`;
  });
  return { text: readableText, people };
}

/** The name being typed before the caret, `{start, query}`, or null. */
export function mentionQuery(text, caret) {
  const start = text.lastIndexOf("@", caret - 1);
  if (start < 0 || caret - start > longestQuery) return null;
  const query = text.slice(start + 1, caret);
  const isAtWordStart = start === 0 || !/[\p{L}\p{N}@]/u.test(text[start - 1]);
  return isAtWordStart && !/[\n@]|^\s|\s{2}|\s\S*\s/u.test(query) ? { start, query } : null;
}

/** People whose name or id has a word that begins with the query, the better matches first. */
export function matching(people, query, most) {
  const wanted = folded(query);
  const ranked = people.map((person) => ({ person, rank: rankOf(person, wanted) })).filter(({ rank }) => rank < 3);
  ranked.sort((a, b) => a.rank - b.rank || a.person.name.localeCompare(b.person.name));
  return ranked.slice(0, most).map(({ person }) => person);
}

function rankOf({ name, userId }, wanted) {
  const folds = folded(name);
  if (folds.startsWith(wanted)) return 0;
  if (folds.split(/[\s\-_.]+/u).some((word) => word.startsWith(wanted))) return 1;
  return folded(userId).startsWith(wanted) ? 2 : 3;
}

/** Without case and accents. */
export const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

const mentioned = (message) => [...new Set([...message.matchAll(onWire)].map((match) => match[1]))].slice(0, mostMentions);
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
