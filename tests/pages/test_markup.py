from mien.pages.markup import Html, facts_table, join, picture, table, tag


def test_text_is_escaped_in_children_and_attributes():
    assert tag("p", "<b>&", title='"><i>') == '<p title="&quot;&gt;&lt;i&gt;">&lt;b&gt;&amp;</p>'


def test_markup_is_not_escaped_again():
    assert tag("p", tag("b", "<"), "<") == "<p><b>&lt;</b>&lt;</p>"


def test_joining_and_slicing_text_makes_no_markup():
    assert join([tag("b", "x"), tag("i", "y")]) == "<b>x</b>\n<i>y</i>"
    assert not isinstance(tag("b", "x") + "<script>", Html)


def test_attributes_are_named_as_html_does():
    assert tag("i", class_="a b", aria_label="c", name="d") == '<i class="a b" aria-label="c" name="d"></i>'


def test_void_elements_have_no_end():
    assert picture(b"\xff", "<", class_="x") == '<img src="data:image/jpeg;base64,/w==" alt="&lt;" class="x">'


def test_tables_escape_and_align():
    made = table(["a", "n"], [["<", "1"]], numbers=frozenset((1,)))
    assert '<td class="t">&lt;</td><td class="n">1</td>' in made
    assert '<tr><th scope="row">&lt;</th><td>x</td></tr>' in facts_table([("<", "x")])
