// A program as a user of the package writes it. It is compiled only: what TypeScript must refuse is marked, and an error that does not
// come is an error.
import { ChatClient, RequestError, Timeline, adviceFor, type Message, type OutboxEntry, type Room } from "chat-service-client";

const chat = new ChatClient({ url: "http://localhost:5004", getToken: async () => "token", framing: "socketio", storage: localStorage });

const texts: string[] = [];
chat.on("message", ({ room, message, isHistory }) => {
  texts.push(`${room.id} ${message.seq} ${message.username}: ${message.message}${isHistory ? " (before)" : ""}`);
});
chat.on("state", (state) => {
  if (state.name === "waiting") texts.push(`again at ${new Date(state.retryAt).toISOString()}: ${state.error?.code}`);
  if (state.name === "stopped") texts.push(`${state.why} ${state.code}`);
});
const end: () => void = chat.on("refused", (entry: OutboxEntry) => texts.push(entry.error?.code ?? "refused"));

async function talk(): Promise<Message | undefined> {
  const session = await chat.connect();
  const room: Room = await chat.join("lobby");
  const entry: OutboxEntry | null = chat.send(room.id, { message: `hello from ${session.username}`, mentions: ["ada"] });
  if (entry?.seq !== undefined) chat.markRead(room.id, entry.seq);
  await chat.presence?.watch(["ada"]);
  const page = await chat.api.history(room.id, { before: room.timeline.firstSeq, limit: 50 });
  const upload = chat.api.upload(room.id, new Blob(["a file"]), (part) => texts.push(`${part * 100} %`));
  texts.push((await upload.done).fileId);
  return page.messages.find((message) => message.reactions?.some((reaction) => reaction.count > 1));
}

talk().catch((error: unknown) => {
  if (error instanceof RequestError && error.retryable) setTimeout(talk, error.retryAfter);
  else end();
});

const advice: "retry" | "slow" | "stop" | "signIn" | "replaced" = adviceFor(4008);
const log = new Timeline();
texts.push(advice, String(log.receive({ seq: 1, message: {} as Message }).hole));

// @ts-expect-error an option that there is not
new ChatClient({ address: "http://localhost:5004" });
// @ts-expect-error an event that there is not
chat.on("mesage", () => {});
// @ts-expect-error the outbox may be full, and then there is no entry
const number: number = chat.send("lobby", "hello").seq;
// @ts-expect-error a status that there is not
chat.presence?.setStatus("asleep");
// @ts-expect-error the client's state is read
chat.isOnline = true;
texts.push(String(number));
