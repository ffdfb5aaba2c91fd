import { findLinks } from "./links.js";

/**
 * The marks people write in chats, as a tree: blocks `{type: "paragraph"|"quote"|"list"|"code", …}` of inline nodes, which are
 * texts and `{type: "bold"|"italic"|"struck", children}`, `{type: "code", text}`, `{type: "link", address, text}`,
 * `{type: "mention", userId}`. What is no mark stays as it was written. Takes time in proportion to the text.
 */
export function parseMarkdown(text) {
  const lines = text.split("\n");
  const lastFence = lines.lastIndexOf("```");
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    const read = readCode(lines, at, lastFence) ?? readQuote(lines, at) ?? readList(lines, at);
    const [block, next] = read ?? readParagraph(lines, at, lastFence);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

const fence = /^```\s*[\w+#.-]*\s*$/;
const quoted = /^> ?(.*)$/;
const item = /^(?:[-*•] |(\d{1,9})[.)] )(.*)$/;

function readCode(lines, from, lastFence) {
  if (from >= lastFence || !fence.test(lines[from])) return null;
  const end = lines.indexOf("```", from + 1);
  return [{ type: "code", text: lines.slice(from + 1, end).join("\n") }, end + 1];
}

function readQuote(lines, from) {
  const end = endOf(lines, from, (line) => quoted.test(line));
  if (end === from) return null;
  const text = lines.slice(from, end).map((line) => line.match(quoted)[1]).join("\n");
  return [{ type: "quote", children: parseInline(text) }, end];
}

/** One item with nothing around it is a sentence that begins with a dash or a number. */
function readList(lines, from) {
  const first = lines[from].match(item);
  if (!first) return null;
  const isOrdered = first[1] !== undefined;
  const end = endOf(lines, from, (line) => {
    const match = line.match(item);
    return match && (match[1] !== undefined) === isOrdered;
  });
  if (end === from + 1 && isOrdered) return null;
  const items = lines.slice(from, end).map((line) => parseInline(line.match(item)[2]));
  return [{ type: "list", isOrdered, start: isOrdered ? Number(first[1]) : undefined, items }, end];
}

/** Up to the next line that begins something else. A fence without an end is text. */
function readParagraph(lines, from, lastFence) {
  const begins = (line, at) => quoted.test(line) || item.test(line) || (at < lastFence && fence.test(line));
  let end = from + 1;
  while (end < lines.length && !begins(lines[end], end)) end += 1;
  const text = lines.slice(from, end).join("\n").replace(/^\n+|\n+$/g, "");
  return [text === "" ? null : { type: "paragraph", children: parseInline(text) }, end];
}

function endOf(lines, from, belongs) {
  let end = from;
  while (end < lines.length && belongs(lines[end])) end += 1;
  return end;
}

const tokens = /`([^`\n]+)`|<@([^<>\s]{1,128})>|\*{1,3}|~~|_/g;
const kinds = { "**": "bold", "*": "italic", _: "italic", "~~": "struck" };
const isWord = (character) => character !== undefined && /[\p{L}\p{N}]/u.test(character);
const isSpace = (character) => character === undefined || /\s/.test(character);

export function parseInline(text) {
  const marks = new Marks();
  let end = 0;
  for (const link of findLinks(text)) {
    readMarks(text, end, link.index, marks);
    marks.add({ type: "link", address: link.address, text: link.text });
    end = link.index + link.length;
  }
  readMarks(text, end, text.length, marks);
  return marks.finish();
}

function readMarks(text, from, to, marks) {
  let end = from;
  for (const match of text.slice(from, to).matchAll(tokens)) {
    const [token, code, userId] = match;
    const start = from + match.index;
    marks.add(text.slice(end, start));
    end = start + token.length;
    if (code !== undefined) marks.add({ type: "code", text: code });
    else if (userId !== undefined) marks.add({ type: "mention", userId });
    else marks.delimiter(token, text[start - 1], text[end]);
  }
  marks.add(text.slice(end, to));
}

/** Nodes as they come, with the marks that are open around them. */
class Marks {
  #stack = [{ children: [] }];

  add(node) {
    if (node !== "") this.#stack.at(-1).children.push(node);
  }

  /** A mark stands at the edge of a word, so that `2*3*4` and `a_b_c` are what they look like. */
  delimiter(token, before, after) {
    if (token === "***") {
      const parts = this.#stack.at(-1).token === "*" ? ["*", "**"] : ["**", "*"];
      for (const part of parts) this.delimiter(part, before, after);
      return;
    }
    const open = this.#stack.findLastIndex((level) => level.token === token);
    if (open > 0 && !isSpace(before) && !isWord(after)) return this.#close(open);
    if (open < 0 && !isSpace(after) && !isWord(before)) this.#stack.push({ token, children: [] });
    else this.add(token);
  }

  finish() {
    this.#dropAbove(0);
    return this.#stack[0].children;
  }

  #close(open) {
    this.#dropAbove(open);
    const { token, children } = this.#stack.pop();
    if (children.length > 0) this.add({ type: kinds[token], children });
    else this.add(token + token);
  }

  /** Marks that were not closed are text. The stack is never deeper than there are marks. */
  #dropAbove(level) {
    while (this.#stack.length - 1 > level) {
      const { token, children } = this.#stack.pop();
      this.add(token);
      for (const child of children) this.add(child);
    }
  }
}
