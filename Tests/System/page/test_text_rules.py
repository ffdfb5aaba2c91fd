"""How texts are shown and written: markdown, mentions, sizes. The page's modules, imported in the browser."""

import pytest

SHOWN = """async (text) => {
  const { richText } = await import('/client/view/rich-text.js');
  const holder = document.createElement('div');
  holder.append(...richText(text, { me: 'ada', nameOf: (id) => ({ ada: 'Ada', ben: 'Ben Smith' })[id] ?? id }));
  for (const element of holder.querySelectorAll('a')) for (const name of ['target', 'rel']) element.removeAttribute(name);
  for (const element of holder.querySelectorAll('[tabindex], [data-user]')) element.removeAttribute('tabindex'), element.removeAttribute('data-user');
  return holder.innerHTML;
}"""


@pytest.fixture
def page(window):
    chat = window()
    chat.page.goto(chat.url)
    return chat.page


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain & <b>simple</b>", "<p>plain &amp; &lt;b&gt;simple&lt;/b&gt;</p>"),
        ("**bold** and *it* and _it_ and ~~no~~", "<p><strong>bold</strong> and <em>it</em> and <em>it</em> and <s>no</s></p>"),
        ("***both***", "<p><strong><em>both</em></strong></p>"),
        ("2*3*4, snake_case_name, a ** b **", "<p>2*3*4, snake_case_name, a ** b **</p>"),
        ("**open *and* not closed", "<p>**open <em>and</em> not closed</p>"),
        ("`**code**` stays", "<p><code>**code**</code> stays</p>"),
        ("```js\nlet a = '**b**'\n\nlet c\n```\nafter", "<pre><code>let a = '**b**'\n\nlet c</code></pre><p>after</p>"),
        ("```\nno end", "<p>```\nno end</p>"),
        ("> said *that*\n> and this\nanswer", "<blockquote>said <em>that</em>\nand this</blockquote><p>answer</p>"),
        ("- one\n- **two**", "<ul><li>one</li><li><strong>two</strong></li></ul>"),
        ("3. three\n4. four", '<ol start="3"><li>three</li><li>four</li></ol>'),
        ("1. is a sentence", "<p>1. is a sentence</p>"),
        ("[the *notes*](https://a.example/n)", '<p><a href="https://a.example/n" title="https://a.example/n">the *notes*</a></p>'),
        ("[no](javascript:alert(1))", "<p>[no](javascript:alert(1))</p>"),
        ("**https://a.example/x_y_z**", '<p><strong><a href="https://a.example/x_y_z">https://a.example/x_y_z</a></strong></p>'),
        ("<@ada>, <@ben>?", '<p><span class="mention is-me">@Ada</span>, <span class="mention ">@Ben Smith</span>?</p>'),
        ("one\n\n\ntwo", "<p>one\n\n\ntwo</p>"),
    ],
)
def test_marks_become_elements_and_nothing_else_does(page, text, shown):
    assert page.evaluate(SHOWN, text) == shown


@pytest.mark.parametrize(
    "text, caret, found",
    [
        ("@", 1, {"start": 0, "query": ""}),
        ("hi @be", 6, {"start": 3, "query": "be"}),
        ("hi @ben sm", 10, {"start": 3, "query": "ben sm"}),
        ("mail a@b", 8, None),
        ("@ben done with it", 17, None),
        ("no at all", 9, None),
        ("@be\nnext", 8, None),
    ],
)
def test_a_name_that_is_being_typed_is_found(page, text, caret, found):
    script = "async ([text, caret]) => (await import('/client/model/mentions.js')).mentionQuery(text, caret)"
    assert page.evaluate(script, [text, caret]) == found


def test_names_become_ids_on_the_wire_and_names_again(page):
    script = """async ([text, people]) => {
      const { encodeMentions, decodeMentions } = await import('/client/model/mentions.js');
      const sent = encodeMentions(text, new Map(people));
      const back = decodeMentions(sent.message, (id) => people.find(([, known]) => known === id)?.[0] ?? id);
      return { ...sent, back: back.text };
    }"""
    people = [["Ben", "ben"], ["Ben Smith", "u-17"], ["Zoë (Ops)", "zoe"]]
    text = "@Ben Smith and @Ben, ask @Zoë (Ops)! not@Ben, @Benjamin"
    out = page.evaluate(script, [text, people])
    assert out["message"] == "<@u-17> and <@ben>, ask <@zoe>! not@Ben, @Benjamin"
    assert out["mentions"] == ["u-17", "ben", "zoe"]
    assert out["back"] == text


@pytest.mark.parametrize("bytes, text", [(0, "0 bytes"), (900, "900 bytes"), (345_678, "338 KB"), (4_400_000, "4.2 MB"), (52_428_800, "50 MB")])
def test_sizes_are_readable(page, bytes, text):
    assert page.evaluate("async (bytes) => (await import('/client/view/text.js')).fileSize(bytes)", bytes) == text


def test_people_are_matched_by_any_word_without_accents(page):
    script = """async ([names, query]) => {
      const { matching } = await import('/client/model/mentions.js');
      return matching(names.map((name) => ({ name, userId: name.toLowerCase() })), query, 8).map(({ name }) => name);
    }"""
    names = ["Ben Smith", "Smilla", "Émile Smets", "Ada"]
    assert page.evaluate(script, [names, "sm"]) == ["Smilla", "Ben Smith", "Émile Smets"]
    assert page.evaluate(script, [names, "emi"]) == ["Émile Smets"]
