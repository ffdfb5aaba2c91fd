"""Rules of the JavaScript SDK that need no server."""

import pytest
from script_runner import NodeRunner

from support.server import ROOT

SDK = (ROOT / "sdk" / "js").as_uri()


@pytest.fixture(scope="module")
def node():
    runner = NodeRunner()
    yield runner
    runner.close()


def test_a_live_message_ahead_of_the_answer_to_a_join_is_no_reset(node):
    """Frames that arrive together are all handled before the code that awaits the first of them goes on."""
    source = """async (sdkURL) => {
      const { Joiner } = await import(`${sdkURL}/room/joiner.js`);
      const room = Object.assign(new sdk.Room('lobby'), { isWanted: true });
      const message = (seq) => ({ seq, messageId: `m${seq}`, roomId: 'lobby', userId: 'ben' });
      room.timeline.applyJoin({ messages: [message(1), message(2)], lastSeq: 2 });
      let asked = 0;
      const emit = async () => {
        asked += 1;
        room.timeline.receive({ seq: 3, message: message(3) });
        return { messages: [], lastSeq: 2 };
      };
      const outcomes = [];
      await new Joiner({ emit }, (_, outcome) => outcomes.push(outcome)).join(room);
      return { asked, seqs: room.messages.map(({ seq }) => seq), replaced: outcomes[0].replaced };
    }"""
    assert node.evaluate(source, SDK) == {"asked": 1, "seqs": [1, 2, 3], "replaced": False}


def test_a_store_that_was_reset_begins_anew(node):
    source = """async (sdkURL) => {
      const { Joiner } = await import(`${sdkURL}/room/joiner.js`);
      const room = Object.assign(new sdk.Room('lobby'), { isWanted: true });
      room.timeline.applyJoin({ messages: [{ seq: 9, messageId: 'old' }], lastSeq: 9 });
      const asked = [];
      const emit = async (_, { since }) => {
        asked.push(since ?? null);
        return { messages: since ? [] : [{ seq: 1, messageId: 'new' }], lastSeq: 1 };
      };
      const outcomes = [];
      await new Joiner({ emit }, (_, outcome) => outcomes.push(outcome)).join(room);
      return { asked, ids: room.messages.map(({ messageId }) => messageId), replaced: outcomes[0].replaced };
    }"""
    assert node.evaluate(source, SDK) == {"asked": [9, None], "ids": ["new"], "replaced": True}


LEAVING = """async ([isAsked]) => {
  const client = new sdk.ChatClient({ url: 'http://127.0.0.1:9', userId: 'ada', WebSocket: class {} });
  const sent = [];
  let answer;
  client.connection.state = { name: 'online' };
  client.connection.emit = (event) => {
    sent.push(event);
    return event === 'join_room' ? new Promise((resolve) => (answer = resolve)) : Promise.resolve({});
  };
  client.connection.fire('session', { userId: 'ada' });
  const join = client.join('lobby').catch((error) => error.code);
  if (isAsked) await Promise.resolve();
  client.leave('lobby');
  if (isAsked) answer({ messages: [], lastSeq: 0 });
  return { outcome: await join, sent: sent.filter((event) => event.endsWith('_room')), rooms: client.rooms.length };
}"""


def test_a_room_left_during_its_join_is_left_on_the_server_too(node):
    assert node.evaluate(LEAVING, [True]) == {"outcome": "left", "sent": ["join_room", "leave_room"], "rooms": 0}


def test_a_room_left_before_its_join_was_sent_is_not_joined(node):
    assert node.evaluate(LEAVING, [False]) == {"outcome": "left", "sent": [], "rooms": 0}


def test_read_marks_go_out_before_the_room_is_left(node):
    source = """async () => {
      const client = new sdk.ChatClient({ url: 'http://127.0.0.1:9', userId: 'ada', WebSocket: class {} });
      const sent = [];
      client.connection.state = { name: 'online' };
      client.connection.emit = async (event) => sent.push(event);
      const room = client.room('lobby');
      room.timeline.applyJoin({ messages: [{ seq: 1, messageId: 'm1' }], lastSeq: 1 });
      room.joined({});
      client.markRead('lobby');
      client.leave('lobby');
      return sent;
    }"""
    assert node.evaluate(source) == ["mark_read", "leave_room"]


FRAMING = """async ([sdkURL, texts]) => {
  const { SocketIOFraming } = await import(`${sdkURL}/protocol/socketio-framing.js`);
  const framing = new SocketIOFraming();
  return texts.map((text) => framing.receive(text));
}"""


def frames(node, *texts: str):
    return node.evaluate(FRAMING, [SDK, list(texts)])


@pytest.mark.parametrize("text", ["", "4", "42", "42[", "42{}", "42[1]", "43", "43x", "43[", "44", "45", "9", "6", "{}", "\u0000"])
def test_texts_that_are_no_packets_are_passed_over(node, text):
    (actions,) = frames(node, text)
    assert [action["type"] for action in actions] in ([], ["refused"])


def test_socket_io_packets_and_their_meanings(node):
    opened, ping, ready, event, answer, refused = frames(
        node, '0{"sid":"s"}', "2probe", '40{"sid":"s","pid":"p"}', '42["pong",{"n":1},"7:lobby"]', '4312[{"success":true}]',
        '44{"message":"unauthorized","data":{"code":"unauthorized","message":"no"}}',
    )  # fmt: skip
    assert opened == [{"type": "send", "text": '40{"recovery":true}'}] and ping == [{"type": "send", "text": "3probe"}]
    assert ready == [{"type": "ready", "recovered": False}]
    assert event == [{"type": "event", "event": "pong", "data": {"n": 1}}]
    assert answer == [{"type": "answer", "id": 12, "data": {"success": True}}]
    assert refused[0]["error"] == {"code": "unauthorized", "message": "no", "retryable": False}


def test_the_same_pid_again_is_a_recovered_session(node):
    first, again = '40{"sid":"a","pid":"p"}', '40{"sid":"b","pid":"p"}'
    source = """async ([sdkURL, first, again]) => {
      const { RecoveryState, SocketIOFraming } = await import(`${sdkURL}/protocol/socketio-framing.js`);
      const recovery = new RecoveryState();
      const one = new SocketIOFraming(recovery);
      one.receive(first);
      one.receive('42["new_message",{},"4:lobby"]');
      const two = new SocketIOFraming(recovery);
      return [two.receive('0{}')[0].text, two.receive(again)[0].recovered];
    }"""
    assert node.evaluate(source, [SDK, first, again]) == ['40{"recovery":true,"pid":"p","offset":"4:lobby"}', True]


@pytest.mark.parametrize(
    "before, code",
    [(['42["error",{"code":"replaced"}]'], 4409), (['42["error",{"code":"unauthorized"}]'], 4401), ([], 4403),
     (['42["error",{"code":"replaced"}]', '42["pong",{}]'], 4403)],
)  # fmt: skip
def test_a_disconnect_has_the_close_code_of_the_error_right_before_it(node, before, code):
    *_, (closed,) = frames(node, *before, "41")
    assert closed["type"] == "closed" and closed["code"] == code
