"""A date of digits is one word on a page, in what is read and nowhere else."""

from importlib.resources import files

import pytest

from shared.web.whole_dates import whole_dates

DATE = '<span class="whole">2022-09-23</span>'


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Protokoll 2022-09-23 (version 2)</p>", f"<p>Protokoll {DATE} (version 2)</p>"),
        ("<h1>2022-09-23</h1>\n<p>2022-09-23, 13.00</p>", f"<h1>{DATE}</h1>\n<p>{DATE}, 13.00</p>"),
    ],
)
def test_a_date_in_a_text_is_held_together(html: str, expected: str) -> None:
    assert whole_dates(html) == expected


@pytest.mark.parametrize(
    "html",
    [
        '<input type="date" value="2022-09-23">',
        '<a href="/board?day=2022-09-23" title="2022-09-23">Dagen</a>',
        "<title>Protokoll 2022-09-23</title>",
        '<textarea name="markdown" rows="9">starts: 2022-09-23\n</textarea>',
        "<option>2022-09-23</option>",
        '<script type="application/json">{"day": "2022-09-23"}</script>',
        "<p>KF-2022-09-23</p>",
        "<p>2022-09-23-14</p>",
        "<p>12022-09-23</p>",
    ],
)
def test_what_is_no_text_or_no_date_stays_as_it_is(html: str) -> None:
    assert whole_dates(html) == html


def test_the_stylesheet_keeps_dates_alone_on_one_line() -> None:
    """Forms are `whole`, too, in another sense: what they say breaks."""
    rules = (files("shared.web") / "static" / "justera.css").read_text(encoding="utf-8").splitlines()
    assert [one.partition(" {")[0] for one in rules if ".whole" in one and "nowrap" in one] == ["span.whole"]
