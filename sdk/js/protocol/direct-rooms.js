/** The id of the room that two users share. The ids are sorted by their UTF-8 bytes; `%` and `:` in them are percent-encoded. */
export function directRoomId(a, b) {
  const escape = (id) => id.replaceAll("%", "%25").replaceAll(":", "%3A");
  return `direct:${[a, b].sort(byUTF8).map(escape).join(":")}`;
}

/** The other one of a direct room's two users. */
export function directPartner(roomId, me) {
  const unescape = (id) => id.replaceAll("%3A", ":").replaceAll("%25", "%");
  const pair = roomId.split(":").slice(1).map(unescape);
  return pair.find((id) => id !== me) ?? pair[0];
}

function byUTF8(a, b) {
  const encoder = new TextEncoder();
  const [left, right] = [encoder.encode(a), encoder.encode(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) if (left[i] !== right[i]) return left[i] - right[i];
  return left.length - right.length;
}
