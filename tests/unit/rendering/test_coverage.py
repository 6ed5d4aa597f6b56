from shared.rendering.coverage import FONT_FOLDER, printable
from tests.unit.rendering.characters import listing


def test_the_list_of_characters_is_that_of_the_fonts() -> None:
    assert (FONT_FOLDER / "characters.txt").read_text() == listing()


def test_what_the_fonts_draw_is_kept() -> None:
    text = "Åsa Näs, 李小龙, Ђорђе, Άννα, علي – ”citat” § 28\nny rad"
    assert printable(text) == text


def test_what_no_font_draws_is_marked() -> None:
    assert printable("a\ue000b\x07c\ud800d\U0001f9ff") == "a\ufffdb\ufffdc\ufffdd\ufffd"


def test_nested_data_keeps_its_shape() -> None:
    assert printable({"a": ("x\x00", 1, None), "b": [{"c": True}]}) == {"a": ["x\ufffd", 1, None], "b": [{"c": True}]}


def test_the_body_font_alone_leaves_latin_greek_and_cyrillic() -> None:
    assert printable("Åsa Ђорђе Άννα 李", body_font_only=True) == "Åsa Ђорђе Άννα \ufffd"
