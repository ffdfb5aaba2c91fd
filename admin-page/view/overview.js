import { FleetSeries } from "../series.js";
import { buttons, element, find, replace } from "./dom.js";
import { age, bytes, figure } from "./format.js";
import { plots } from "./plots.js";
import { sessionTable } from "./sessions.js";

const series = new FleetSeries();

function waiting(fleet, name) {
  const queues = fleet.map((each) => each[name]).filter(Boolean);
  // Each instance reports the whole backlog of the store.
  return queues.length ? Math.max(...queues.map((queue) => queue.messages ?? 0)) : null;
}

function totals(answer) {
  const { fleet } = answer;
  const sum = (name) => fleet.reduce((total, each) => total + (each[name] ?? 0), 0);
  const down = fleet.flatMap((each) => each.dependencies).filter((dependency) => dependency.state !== "up").length;
  return [
    ["Instances", fleet.length], ["Users online", answer.online], ["Sessions", sum("sessions")],
    ["Connections", sum("connections")], ["Queued for clients", bytes(sum("queuedBytes"))],
    ["Events in the outbox", waiting(fleet, "outbox") ?? "–"], ["Webhooks waiting", waiting(fleet, "webhooks") ?? "–"],
    ["Dependencies not up", down],
  ].map(([name, value]) => element("li", {}, element("b", {}, typeof value === "number" ? figure(value) : value), name));
}

function dependency(each) {
  const look = each.state === "up" ? "quiet" : each.state === "down" ? "bad" : "warn";
  const reason = each.state === "up" || !each.lastError ? "" : `: ${each.lastError}`;
  return element("li", {}, element("b", {}, each.name), " ",
    element("span", { class: look }, `${each.state} for ${age(each.since)}${reason}`));
}

function instance(each, acts) {
  const facts = [
    ["Version", each.version || "–"], ["Up", age(each.startedAt)], ["Sessions", figure(each.sessions)],
    ["Rooms", figure(each.rooms)], ["Memory", bytes(each.memoryBytes)], ["Files", figure(each.openFiles)],
  ].flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return element("article", { class: "card", "data-instance": each.instance },
    element("div", { class: "top" }, element("h3", {}, each.instance),
      each.draining ? element("span", { class: "warn" }, "draining")
        : buttons(["Drain", () => acts.drain(each.instance), `Drain ${each.instance}`])),
    element("dl", {}, facts),
    element("ul", { "aria-label": `Dependencies of ${each.instance}` }, each.dependencies.map(dependency)));
}

export function showOverview(answer, acts) {
  series.add(answer.fleet, Date.parse(answer.timestamp));
  find("totals").replaceChildren(...totals(answer));
  find("plots").replaceChildren(...plots(series));
  replace(find("instances"), ...answer.fleet.map((each) => instance(each, acts)));
}

export function showSlow(answer, acts) {
  const slow = answer.sessions.filter((session) => session.queuedBytes > 0);
  replace(find("slow"), slow.length === 0 ? element("p", { class: "quiet" }, "No client has bytes waiting.")
    : sessionTable("Connections with most bytes waiting", slow, acts));
}
