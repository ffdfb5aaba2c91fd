import { Api } from "./api.js";
import { showAudit } from "./view/audit.js";
import { confirm } from "./view/confirm.js";
import { find } from "./view/dom.js";
import { showOverview, showSlow } from "./view/overview.js";
import { showRoom, showRooms } from "./view/rooms.js";
import { showSessions } from "./view/sessions.js";

const REFRESH_MS = 2000;
const VIEWS = ["overview", "sessions", "rooms", "audit"];

let api = null;
let view = "overview";
let timer = null;
let entries = [];
let cursor = null;

const form = (name) => Object.fromEntries(new FormData(find(`${name}-form`)));

function say(text, isBad = false) {
  find("notice").textContent = text;
  find("notice").className = isBad ? "bad" : "";
}

function showState(text, isBad = false) {
  find("state").textContent = text;
  find("state").dataset.state = isBad ? "bad" : "good";
}

// MARK: Acts

/** Asks, acts, says what became of it, and shows the consequences. */
async function act(question, work, done) {
  const terms = await confirm(question);
  if (terms === null) return;
  try {
    await work(terms);
    say(done);
  } catch (error) {
    say(error.message, true);
  }
  await refresh();
}

const acts = {
  disconnect: (user, socketId) => act(
    { title: `Disconnect ${user}?`, text: "This session ends. The user may connect again.", verb: "Disconnect" },
    () => api.disconnect(user, socketId), `${user} was disconnected.`),
  ban: (user) => act(
    { title: `Ban ${user}?`, text: "All sessions of the user end, and the user cannot come back.", verb: "Ban", hasTerms: true },
    (terms) => api.ban(user, terms), `${user} is banned.`),
  mute: (room, user) => act(
    { title: `Mute ${user}?`, text: `The user may read ${room} and not write in it.`, verb: "Mute", hasTerms: true },
    (terms) => api.mute(room, user, terms), `${user} is muted in ${room}.`),
  deleteMessage: (room, message) => act(
    { title: "Delete this message?", text: "Its text is gone for everybody.", verb: "Delete" },
    async () => {
      await api.deleteMessage(room, message.messageId);
      showRoom(room, await api.history(room), acts);
    }, `Message ${message.seq} was deleted.`),
  drain: (instance) => act(
    { title: `Drain ${instance}?`, text: "It takes no new sessions and sends away those it has. Only a restart undoes this.", verb: "Drain" },
    () => api.drain(instance), `${instance} drains.`),
  openRoom: async (room) => {
    try {
      showRoom(room, await api.history(room), acts);
    } catch (error) {
      say(error.message, true);
    }
  },
};

// MARK: Views

const SHOW = {
  overview: async () => showSlow(await api.sessions({ sort: "queuedBytes", limit: 10 }), acts),
  sessions: async () => showSessions(await api.sessions({ ...form("sessions"), limit: 100 }), acts),
  rooms: async () => showRooms(await api.rooms({ ...form("rooms"), limit: 100 }), acts),
  // Pages that were opened stay open; only the first one is read again.
  audit: async () => { if (entries.length <= 50) await readAudit(); },
};

async function readAudit(before = null) {
  const answer = await api.audit({ ...form("audit"), before });
  entries = before ? [...entries, ...answer.entries] : answer.entries;
  cursor = answer.cursor ?? null;
  showAudit(entries, cursor);
}

/** The figures are read in every view, so that the plots have no gaps. */
async function refresh() {
  try {
    const stats = await api.stats();
    showOverview(stats, acts);
    await SHOW[view]();
    const silent = stats.unanswered.length ? `; no answer from ${stats.unanswered.join(", ")}` : "";
    showState(`${stats.instances.length} of ${stats.instances.length + stats.unanswered.length} instances${silent}`, !stats.complete);
  } catch (error) {
    if (error.status === 401) return signOut(error.message);
    showState(error.message, true);
  }
}

function keepRefreshing() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (api && !document.hidden) await refresh();
    if (api) keepRefreshing();
  }, REFRESH_MS);
}

function open(name) {
  view = name;
  say("");
  for (const each of VIEWS) {
    find(each).hidden = each !== name;
    const tab = find(`tab-${each}`);
    tab.setAttribute("aria-selected", String(each === name));
    tab.tabIndex = each === name ? 0 : -1;
  }
  refresh();
}

// MARK: Signing in and out

async function signIn(event) {
  event.preventDefault();
  const attempt = new Api({ kind: form("sign-in").kind, secret: find("secret").value, actor: find("actor").value.trim() });
  try {
    await attempt.stats();
  } catch (error) {
    find("sign-in-error").textContent = error.status === 401 ? "This key or token is not accepted." : error.message;
    return;
  }
  api = attempt;
  find("secret").value = "";
  find("sign-in-error").textContent = "";
  find("sign-in").hidden = true;
  find("workplace").hidden = find("sign-out").hidden = false;
  find("tab-overview").focus();
  open("overview");
  keepRefreshing();
}

function signOut(reason = "") {
  api = null;
  clearTimeout(timer);
  find("workplace").hidden = find("sign-out").hidden = true;
  find("sign-in").hidden = false;
  find("sign-in-error").textContent = reason;
  showState("");
}

find("sign-in-form").addEventListener("submit", signIn);
find("sign-out").addEventListener("click", () => signOut());
find("audit-more").addEventListener("click", () => readAudit(cursor).catch((error) => say(error.message, true)));
for (const name of VIEWS) find(`tab-${name}`).addEventListener("click", () => open(name));
for (const name of ["sessions", "rooms", "audit"]) {
  find(`${name}-form`).addEventListener("submit", (event) => {
    event.preventDefault();
    entries = [];
    refresh();
  });
}
document.querySelector("nav").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = VIEWS[(VIEWS.indexOf(view) + step + VIEWS.length) % VIEWS.length];
  open(next);
  find(`tab-${next}`).focus();
});
