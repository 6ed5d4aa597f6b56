"""Which characters the fonts draw, as `fonts/characters.txt` says it.

After a change of fonts: python -m tests.unit.rendering.characters > shared/rendering/fonts/characters.txt
"""

from collections.abc import Iterator

from fontTools.ttLib import TTFont

from shared.rendering.coverage import FONT_FOLDER

FONTS = ("SourceSans3[wght].ttf", "DejaVuSans.ttf", "DroidSansFallbackFull.ttf")


def listing() -> str:
    return "".join(f"{line}\n" for name in FONTS for line in (f"# {name}", *_ranges(name)))


def _ranges(name: str) -> Iterator[str]:
    with TTFont(FONT_FOLDER / name, lazy=True) as font:
        points = sorted(font.getBestCmap())
    first = points[0]
    for point, following in zip(points, [*points[1:], None], strict=True):
        if following != point + 1:
            yield f"{first:04X}-{point:04X}"
            first = following


if __name__ == "__main__":
    print(listing(), end="")
