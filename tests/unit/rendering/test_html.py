"""Minutes as HTML: the same words as their data, all of them text, under headings that a reader can walk."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from shared.rendering.html import content_policy, minutes_html
from shared.rendering.minutes import Attendee, BulletList, OrderedList, Paragraph, Run, Subheading, Table, Text
from tests.integration.rendering.sample import full_minutes


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def test_it_says_what_the_first_page_says() -> None:
    words = " ".join(read(minutes_html(full_minutes())).words.split())
    for line in (
        "Diarienummer KF 2022/14",
        "Tid 2022-09-23 kl. 13.00–15.00",
        "Eva Alm (C), tjänstgör för Leo Ström, §§ 28–29, 31–32",
        "Frånvarande Leo Ström (C), Granvik",
        "Övriga närvarande Karin Ek, ekonom, § 30",
        "Justerande: Sven Dahl",
        "§ 30 Arbetsordning Deltar inte längre: Eva Alm",
    ):
        assert line in words


HOSTILE = '<script>alert(1)</script><img src=x onerror="y"> & {{ 7*7 }} {% include "minutes.css" %} " \''


@pytest.mark.parametrize("language", ["sv", "en"])
def test_all_that_people_wrote_is_text(language: str) -> None:
    run = Run(text=HOSTILE, bold=True, italic=True)
    table = Table(header=((run,), ()), align=("left", "right"), rows=(((run,), (run,)),))
    blocks = (Subheading(text=HOSTILE), Text(runs=(run,)), BulletList(items=((run,),)), table)
    document = full_minutes().model_copy(
        update={
            "language": language,
            "title": HOSTILE,
            "body": HOSTILE,
            "place": HOSTILE,
            "reference": HOSTILE,
            "adjusters": (HOSTILE,),
            "present": (Attendee(name=HOSTILE, party=HOSTILE, role=HOSTILE, municipality=HOSTILE, serves_for=HOSTILE),),
            "paragraphs": (Paragraph(number=1, heading=HOSTILE, blocks=(*blocks, OrderedList(items=((run,),)))),),
        }
    )
    found = read(minutes_html(document))
    assert not {"script", "img"} & set(found.tags)
    assert found.words.count(HOSTILE) == 19


def test_headings_go_down_one_level_at_a_time() -> None:
    levels = [int(tag[1]) for tag in read(minutes_html(full_minutes())).tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_its_policy_allows_its_own_style_alone() -> None:
    (style,) = re.findall(r"<style>(.*)</style>", html := minutes_html(full_minutes()), flags=re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in content_policy(html)
    assert "script" not in content_policy(html)
