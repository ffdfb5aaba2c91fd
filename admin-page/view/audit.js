import { element, find, table } from "./dom.js";
import { moment } from "./format.js";

function target(entry) {
  return [["user", entry.userId], ["room", entry.roomId], ["message", entry.messageId]]
    .filter(([, value]) => value != null).map(([name, value]) => `${name} ${value}`).join(", ") || "–";
}

function actor(entry) {
  if (entry.actor != null) return entry.service ? `${entry.actor} (service)` : entry.actor;
  return entry.service ? "service" : "–";
}

export function showAudit(entries, cursor) {
  const rows = entries.map((entry) => [
    moment(entry.timestamp), element("span", { class: entry.outcome === "refused" ? "bad" : "" },
      entry.outcome === "refused" ? `${entry.action}, refused` : entry.action),
    actor(entry), entry.address ?? "–", target(entry), entry.detail ?? "", entry.instance,
  ]);
  find("audit-list").replaceChildren(element("div", { class: "scroll" },
    table(`${entries.length} entries, the newest first`,
      ["Time (UTC)", "Action", "By", "From", "About", "Detail", "Instance"], rows)));
  find("audit-more").hidden = cursor == null;
}
