"""What the page makes of a connection that misbehaves: frames lost, refused, closed for every reason there is."""

import json

from playwright.sync_api import WebSocketRoute, expect


class Wire:
    """Sits between one window and the server; every frame passes unless a test says otherwise."""

    def __init__(self, chat):
        self.route: WebSocketRoute | None = None
        self.connections = 0
        self.to_page = lambda frame: frame
        self.to_server = lambda frame: frame
        chat.page.route_web_socket("**/*", self._connect)

    def _connect(self, route: WebSocketRoute):
        self.route = route
        self.connections += 1
        server = route.connect_to_server()
        route.on_message(lambda text: self._pass(text, self.to_server, server.send))
        server.on_message(lambda text: self._pass(text, self.to_page, route.send))

    @staticmethod
    def _pass(text, rule, send):
        frame = rule(json.loads(text))
        if frame is not None:
            send(json.dumps(frame))

    def deliver(self, event, data):
        self.route.send(json.dumps({"event": event, "data": data}))

    def close(self, code, reason=""):
        self.route.close(code=code, reason=reason)


def test_a_lost_frame_leaves_no_hole(window):
    ada, ben = window(), window().enter("Ben")
    wire = Wire(ada)
    ada.enter("Ada")
    wire.to_page = lambda frame: None if frame["event"] == "new_message" else frame
    ben.send("this frame gets lost")
    ben.expect_stored("this frame gets lost")
    expect(ada.page.locator("#messages .message")).to_have_count(0)
    wire.to_page = lambda frame: frame
    ben.send("this one arrives")
    ada.expect_stored("this one arrives")
    assert ada.texts() == ["this frame gets lost", "this one arrives"]
    ada.expect_gapless()


def test_an_acknowledged_message_that_does_not_come_round_is_fetched(window):
    ada = window()
    wire = Wire(ada)
    ada.enter("Ada")
    wire.to_page = lambda frame: None if frame["event"] == "new_message" else frame
    ada.send("acknowledged, never echoed")
    expect(ada.message("acknowledged, never echoed")).to_have_attribute("data-state", "sent")
    ada.expect_stored("acknowledged, never echoed")


def test_a_lost_acknowledgement_is_not_a_second_message(window):
    ada, ben = window(), window().enter("Ben")
    wire = Wire(ada)
    ada.enter("Ada")
    wire.to_page = lambda frame: None if frame["event"] in ("ack", "new_message") else frame
    ada.send("stored once")
    ben.expect_stored("stored once")
    expect(ada.message("stored once")).to_have_attribute("data-state", "sending")
    wire.to_page = lambda frame: frame
    wire.close(1012)
    ada.expect_stored("stored once")
    ada.send("and another")
    ben.expect_stored("and another")
    assert ada.texts() == ben.texts() == ["stored once", "and another"]


def refusing(wire, code, message, retryable, texts=None):
    """A rule that lets the server see no message, or none of those texts, and answers as a server that refuses them."""

    def refuse(frame):
        if frame["event"] != "send_message" or (texts and frame["data"]["message"] not in texts):
            return frame
        error = {"code": code, "message": message, "retryable": retryable}
        wire.route.send(json.dumps({"event": "ack", "id": frame["id"], "data": {"success": False, "error": error}}))
        return None

    return refuse


def test_a_refused_message_can_be_retried_or_discarded(window):
    ada = window()
    wire = Wire(ada)
    ada.enter("Ada")
    wire.to_server = refusing(wire, "bad_request", "the text is too long", False)
    ada.send("second try")
    ada.send("never mind")
    expect(ada.message("second try")).to_have_attribute("data-state", "failed")
    expect(ada.message("second try")).to_contain_text("the text is too long")
    expect(ada.message("never mind")).to_have_attribute("data-state", "failed")
    wire.to_server = lambda frame: frame
    ada.message("second try").get_by_role("button", name="Retry").click()
    ada.expect_stored("second try")
    ada.message("never mind").get_by_role("button", name="Discard").click()
    expect(ada.message("never mind")).to_have_count(0)


def test_a_retryable_refusal_is_tried_again_and_keeps_its_place(window):
    ada, ben = window(), window().enter("Ben")
    wire = Wire(ada)
    ada.enter("Ada")
    wire.to_server = refusing(wire, "storage_unavailable", "the store is resting", True, {"first"})
    ada.send("first")
    expect(ada.message("first")).to_contain_text("trying again: the store is resting")
    ada.send("second")
    ada.send("never mind")
    expect(ada.message("second")).to_have_attribute("data-state", "waiting")
    wire.to_server = lambda frame: frame
    ada.expect_stored("never mind")
    ben.expect_stored("never mind")
    assert ada.texts() == ben.texts() == ["first", "second", "never mind"]


def test_a_retryable_refusal_can_be_cancelled(window):
    ada = window()
    wire = Wire(ada)
    ada.enter("Ada")
    wire.to_server = refusing(wire, "storage_unavailable", "the store is resting", True, {"first"})
    ada.send("first")
    ada.send("second")
    ada.message("first").get_by_role("button", name="Discard").click()
    ada.expect_stored("second")
    assert ada.texts() == ["second"]


def test_a_replaced_session_stays_away_until_asked(window):
    ada = window()
    wire = Wire(ada)
    ada.enter("Ada")
    wire.close(4409, "replaced")
    expect(ada.page.locator("#banner")).to_contain_text("replaced by a newer one")
    ada.page.wait_for_timeout(1_000)
    assert wire.connections == 1
    ada.page.get_by_role("button", name="Use it here").click()
    ada.expect_online()


def test_a_forbidden_connection_is_not_retried(window):
    ada = window()
    wire = Wire(ada)
    ada.enter("Ada")
    wire.close(4403, "kicked")
    expect(ada.page.locator("#banner")).to_contain_text("4403: kicked")
    ada.page.wait_for_timeout(1_000)
    assert wire.connections == 1


def test_an_expired_sign_in_asks_again(window):
    ada = window()
    wire = Wire(ada)
    ada.enter("Ada")
    wire.close(4401)
    expect(ada.page.locator("#sign-in-error")).to_contain_text("4401")
    expect(ada.page.locator("#app")).to_be_hidden()
    ada.page.locator("#sign-in-button").click()
    ada.expect_online()


def test_a_draining_server_is_left_when_it_says(window):
    ada = window()
    wire = Wire(ada)
    ada.enter("Ada")
    wire.deliver("server_draining", {"reconnectInMs": 4_000})
    wire.close(1012)
    expect(ada.page.locator("#banner")).to_contain_text("Reconnecting in")
    ada.page.wait_for_timeout(1_500)
    assert wire.connections == 1
    ada.expect_online()
    expect(ada.page.locator("#banner")).to_contain_text("Back online · nothing missed")


def test_a_resync_loads_the_newest_and_says_so(window):
    ada, ben = window(), window().enter("Ben")
    wire = Wire(ada)
    ada.enter("Ada")
    ben.send("before")
    ada.expect_stored("before")
    wire.deliver("resync_required", {"roomId": "lobby", "lastSeq": 1})
    expect(ada.page.locator("#banner")).to_contain_text("scroll up")
    ben.send("after")
    ada.expect_stored("after")
    assert ada.texts() == ["before", "after"]


def test_unknown_presence_events_hide_the_status_choice(window):
    ada = window()
    wire = Wire(ada)

    def unknown(frame):
        if frame["event"] not in ("subscribe_presence", "set_status"):
            return frame
        error = {"code": "unknown_event", "message": "no such event", "retryable": False}
        wire.route.send(json.dumps({"event": "ack", "id": frame["id"], "data": {"success": False, "error": error}}))
        return None

    wire.to_server = unknown
    window().enter("Ben")
    ada.enter("Ada")
    expect(ada.page.locator("#people-list")).to_contain_text("Ben")
    ada.page.locator("#me").click()
    expect(ada.page.locator("#settings-dialog")).to_be_visible()
    expect(ada.page.locator("#status-field")).to_be_hidden()
