/** Starts the page: signs in, then ties what the chat knows to what the page shows. */
import { Chat } from "./model/chat.js";
import { lastName, readAddress, tabToken, userIdFrom, writeAddress } from "./model/identity.js";
import { Page } from "./view/page.js";
import { chosenTransport } from "./view/settings.js";
import { SignIn } from "./view/sign-in.js";

const defaultRoom = "lobby";
const address = readAddress();
const signIn = new SignIn(begin);

function begin(identity) {
  signIn.connecting();
  const chat = new Chat(identity, chosenTransport.get());
  let page = null;

  chat.on("session", () => {
    if (page) return;
    if (identity.token) tabToken.set(identity.token);
    signIn.hide();
    page = new Page(chat, { remember, signOut: () => leave({ message: "" }) });
    page.open(address.room ?? lastRoom(chat.me) ?? defaultRoom, { isBack: true });
  });

  chat.on("connection", (state) => {
    if (state.name === "refused") leave(state.error);
    else if (state.name === "stopped" && state.why === "signIn") leave({ code: state.code, message: "Your sign-in is no longer valid." });
    else if (state.name === "stopped" && !page) leave({ code: state.code, message: state.reason || "The server closed the connection." });
    else if (state.name === "waiting" && !page) signIn.connecting("No connection yet, trying again…");
    else if (state.name === "offline" && !page) signIn.connecting("You are offline, waiting…");
  });

  /** Each room that is opened is a step that the browser's back button takes back. */
  function remember(roomId, { isBack }) {
    const isStep = !isBack && roomId !== address.room;
    address.room = roomId;
    localStorage.setItem(lastRoomKey(chat.me), roomId);
    writeAddress({ user: identity.token ? null : chat.identity.username, room: roomId }, { isStep });
  }

  const ended = new AbortController();
  const goBack = () => {
    const { room } = readAddress();
    if (page && room) page.open(room, { isBack: true });
  };
  addEventListener("popstate", goBack, { signal: ended.signal });

  /** Back to the sign-in form, with the reason where there is one. */
  function leave(error) {
    ended.abort();
    chat.stop();
    page?.close();
    if (identity.token) tabToken.clear();
    writeAddress({ room: address.room });
    signIn.show({
      way: identity.token || needsToken(error) ? "token" : "name",
      name: identity.username ?? lastName.get(),
      error: error.message ? error : null,
    });
  }

  chat.start();
}

const needsToken = (error) => error.code === "unauthorized" || error.code === "unauthenticated";
const lastRoomKey = (userId) => `chat.lastRoom.${userId}`;
const lastRoom = (userId) => localStorage.getItem(lastRoomKey(userId));

signIn.show({ name: address.user ?? undefined });
const token = tabToken.get();
if (token) begin({ token });
else if (address.user && userIdFrom(address.user)) begin({ userId: userIdFrom(address.user), username: address.user });
