import { h } from "./dom.js";
import { parseMarkdown } from "./markdown.js";

/**
 * A message's text as nodes. Nothing of it is parsed as markup: marks become elements one by one, the rest text nodes.
 * @param {{me: string, nameOf: (userId: string) => string}} people
 */
export function richText(text, people) {
  return parseMarkdown(text).map((block) => blockNode(block, people));
}

function blockNode(block, people) {
  switch (block.type) {
    case "code":
      return h("pre", { tabIndex: 0 }, h("code", {}, block.text));
    case "quote":
      return h("blockquote", {}, inline(block.children, people));
    case "list":
      return list(block, people);
    default:
      return h("p", {}, inline(block.children, people));
  }
}

function list({ isOrdered, start, items }, people) {
  const rows = items.map((children) => h("li", {}, inline(children, people)));
  return isOrdered ? h("ol", { start: start === 1 ? null : start }, rows) : h("ul", {}, rows);
}

const tags = { bold: "strong", italic: "em", struck: "s" };

function inline(nodes, people) {
  return nodes.map((node) => {
    if (typeof node === "string") return node;
    if (node.type === "code") return h("code", {}, node.text);
    if (node.type === "mention") return mention(node.userId, people);
    if (node.type === "link") return link(node);
    return h(tags[node.type], {}, inline(node.children, people));
  });
}

function link({ address, text }) {
  const title = text === address ? null : address;
  return h("a", { href: address, title, target: "_blank", rel: "noopener noreferrer nofollow" }, text);
}

function mention(userId, { me, nameOf }) {
  return h("span", { class: `mention ${userId === me ? "is-me" : ""}`, data: { user: userId } }, `@${nameOf(userId)}`);
}
