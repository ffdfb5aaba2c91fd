"""The page's own rules, run where they live: its modules, imported in the browser."""

import pytest

TIMELINE = """async (steps) => {
  const { Timeline } = await import('/client/sdk/index.js');
  const timeline = new Timeline();
  const message = (seq) => ({ seq, messageId: `m${seq}` });
  const live = (seq) => ({ seq, message: message(seq) });
  const results = [];
  for (const [name, argument] of steps) {
    const value = name === 'receive' ? live(argument) : { ...argument, messages: argument.messages.map(message) };
    const { added, hole, replaced } = timeline[name](value);
    results.push({ added: added.map((m) => m.seq), hole, replaced: !!replaced });
  }
  return { results, seqs: timeline.messages.map((m) => m.seq), complete: timeline.isComplete, lastSeq: timeline.lastSeq };
}"""


def join(*seqs, **fields):
    return ["applyJoin", {"messages": list(seqs), **fields}]


@pytest.fixture
def page(window):
    chat = window()
    chat.page.goto(chat.url)
    return chat.page


def test_timeline_keeps_order_and_drops_repeats(page):
    out = page.evaluate(TIMELINE, [join(1, 2), ["receive", 3], ["receive", 3], ["receive", 2], ["receive", 4]])
    assert out["seqs"] == [1, 2, 3, 4]
    assert out["complete"]


def test_timeline_holds_what_comes_before_the_first_history(page):
    out = page.evaluate(TIMELINE, [["receive", 8], join(5, 6, 7)])
    assert out["results"] == [
        {"added": [], "hole": False, "replaced": False},
        {"added": [5, 6, 7, 8], "hole": False, "replaced": False},
    ]


def test_timeline_reports_a_hole_and_closes_it(page):
    out = page.evaluate(TIMELINE, [join(1), ["receive", 4], join(2, 3)])
    assert out["results"][1]["hole"]
    assert out["results"][2]["added"] == [2, 3, 4]
    assert out["seqs"] == [1, 2, 3, 4]


def test_timeline_replaces_what_the_newest_page_does_not_join(page):
    out = page.evaluate(TIMELINE, [join(1, 2), join(90, 91, resync=True), ["receive", 92]])
    assert out["results"][1]["replaced"]
    assert out["seqs"] == [90, 91, 92]
    assert not out["complete"]


def test_timeline_believes_the_server_about_numbers_that_are_no_messages(page):
    out = page.evaluate(TIMELINE, [join(1, 2), join(3, 5, lastSeq=7), ["receive", 8], ["receive", 10]])
    assert out["seqs"] == [1, 2, 3, 5, 8]
    assert [result["hole"] for result in out["results"]] == [False, False, False, True]


@pytest.mark.parametrize(
    "pair, room",
    [
        (("ben", "ada"), "direct:ada:ben"),
        (("a:b", "50%"), "direct:50%25:a%3Ab"),
        (("é", "z"), "direct:z:é"),
        (("\U0001f600", "\uff5e"), "direct:\uff5e:\U0001f600"),
    ],
)
def test_direct_rooms_have_one_id(page, pair, room):
    script = "async (ids) => (await import('/client/sdk/index.js')).directRoomId(...ids)"
    assert page.evaluate(script, list(pair)) == room
    assert page.evaluate(script, list(reversed(pair))) == room
    partner = "async ([room, me]) => (await import('/client/sdk/index.js')).directPartner(room, me)"
    assert page.evaluate(partner, [room, pair[0]]) == pair[1]


@pytest.mark.parametrize(
    "text, links",
    [
        ("see https://example.org/a.", ["https://example.org/a"]),
        ("(https://example.org/wiki/A_(b))", ["https://example.org/wiki/A_(b)"]),
        ("javascript:alert(1) data:text/html,x", []),
        ('https://example.org/"onmouseover="alert(1)', ["https://example.org/"]),
        ("http:// https://", []),
        ("two http://a.example http://b.example", ["http://a.example", "http://b.example"]),
        ("(see http://a.example/b).", ["http://a.example/b"]),
        ("http://a.example" + "()" * 3 + "))", ["http://a.example" + "()" * 3]),
    ],
)
def test_only_web_addresses_become_links(page, text, links):
    script = """async (text) => {
      const nodes = (await import('/client/view/rich-text.js')).richText(text, { me: 'ada', nameOf: (id) => id });
      return { text: nodes.map((node) => node.textContent).join(''),
               links: nodes.flatMap((node) => [...node.querySelectorAll('a')]).map((link) => link.getAttribute('href')) };
    }"""
    out = page.evaluate(script, text)
    assert out == {"text": text, "links": links}


@pytest.mark.parametrize("end", ["", "x"])
@pytest.mark.parametrize("tail", [")", "()", ".", ").", "(", "http://a ", "*", "**a ", "_a*b", "`", "[a](", "<@", "> ", "```\n", "- a\n", "~~a "])
def test_a_text_of_any_length_takes_no_time(page, tail, end):
    """The work may grow with the text, not with its square: ten times as much takes far less than a hundred times as long."""
    script = """async ([tail, end]) => {
      const { parseMarkdown } = await import('/client/view/markdown.js');
      const time = (length) => {
        const text = 'http://a' + tail.repeat(length / tail.length) + end;
        let best = Infinity;
        for (let round = 0; round < 5; round += 1) {
          const start = performance.now();
          parseMarkdown(text);
          best = Math.min(best, performance.now() - start);
        }
        return best;
      };
      return [time(2_000), time(20_000)];
    }"""
    short, long = page.evaluate(script, [tail, end])
    assert long < 30 * max(short, 1), (short, long)


@pytest.mark.parametrize(
    "at, text",
    [
        ("2026-03-05T14:05:00", "Last seen today at 14:05"),
        ("2026-03-04T23:59:00", "Last seen yesterday at 23:59"),
        ("2026-02-28T09:00:00", "Last seen Saturday at 09:00"),
        ("2025-12-24T09:00:00", "Last seen 24 December 2025 at 09:00"),
        ("", None),
    ],
)
def test_last_seen_names_the_day(page, at, text):
    script = """async (at) => {
      const { lastSeen } = await import('/client/view/text.js');
      return lastSeen(Date.parse(at), Date.parse('2026-03-05T15:00:00'));
    }"""
    assert page.evaluate(script, at) == text


def test_backoff_grows_to_its_ceiling_and_spreads(page):
    script = """async (random) => {
      const { Backoff } = await import('/client/sdk/index.js');
      const backoff = new Backoff();
      return Array.from({ length: 9 }, () => backoff.next({ random: () => random }));
    }"""
    assert page.evaluate(script, 1) == [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]
    assert page.evaluate(script, 0) == [0] * 9
    assert page.evaluate(script, 0.5)[:3] == [250, 500, 1000]


def test_close_codes_say_what_to_do(page):
    script = """async (codes) => {
      const { adviceFor } = await import('/client/sdk/index.js');
      return codes.map(adviceFor);
    }"""
    advice = {1000: "retry", 1001: "retry", 1002: "stop", 1006: "retry", 1009: "stop", 1012: "retry", 1013: "slow", 4008: "retry"}
    advice |= {4400: "stop", 4401: "signIn", 4403: "stop", 4409: "replaced", 4429: "slow"}
    assert page.evaluate(script, list(advice)) == list(advice.values())


def test_nothing_is_drawn_between_a_press_and_its_click(page):
    source = """async () => {
      const { onceAFrame } = await import('/client/view/dom.js');
      const frames = async () => { for (let n = 0; n < 3; n += 1) await new Promise(requestAnimationFrame); };
      const steps = [];
      document.addEventListener('click', () => steps.push('click'), { once: true });
      const pointer = (type) => document.body.dispatchEvent(new PointerEvent(type, { bubbles: true, button: 0 }));
      const drawn = new Promise((resolve) => {
        const draw = onceAFrame(() => resolve(steps.push('drawn')));
        pointer('pointerdown');
        draw();
      });
      await frames();
      steps.push('released');
      pointer('pointerup');
      document.body.click();
      await drawn;
      return steps;
    }"""
    assert page.evaluate(source) == ["released", "click", "drawn"]
