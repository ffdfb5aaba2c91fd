const linkPattern = /\[([^[\]\n]{1,300})\]\((https?:\/\/[^\s<>"'()]{1,2000})\)|\bhttps?:\/\/[^\s<>"']+/gi;
const sentenceMarks = ".,;:!?…*_~";

/** The web addresses of a text, `{index, length, address, text}`: those written out and `[text](address)`. */
export function findLinks(text) {
  const links = [];
  for (const match of text.matchAll(linkPattern)) {
    const [whole, label, target] = match;
    const address = target ?? trimLink(whole);
    if (!isLink(address)) continue;
    links.push({ index: match.index, length: target ? whole.length : address.length, address, text: label ?? address });
  }
  return links;
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
