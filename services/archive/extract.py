"""An extract of archived minutes: what it is, and what is asked for one. Pure."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidInput
from shared.events import BlobRef
from shared.text import clean_line

MOST_EXTRACTS = 1000
"""Of one agreement's minutes."""
MOST_PARAGRAPH = 99_999
LONGEST_NAME = 200  # characters


class Extract(BaseModel):
    """A certified extract. `number` counts those of the same minutes from 1. `certified_at` is UTC."""

    model_config = ConfigDict(frozen=True)

    agreement_id: str
    number: int
    paragraph: int
    certified_by: str
    certified_at: datetime
    sealed: BlobRef = Field(description="the extract, PDF")
    test_seal: bool = Field(description="sealed with a test certificate: proves nothing to others")


class ExtractWanted(BaseModel):
    """Which paragraph, by its number in the minutes (§), and who certifies it: a name, and if wanted a title."""

    model_config = ConfigDict(extra="forbid")

    paragraph: int = Field(ge=1, le=MOST_PARAGRAPH)
    certified_by: str = Field(max_length=4 * LONGEST_NAME, description="as it is printed: `Karin Ek, registrator`")


def clean_certifier(text: str) -> str:
    """Raises InvalidInput."""
    by = clean_line(text, "certified_by")
    if len(by) > LONGEST_NAME:
        raise InvalidInput(f"certified_by: is longer than {LONGEST_NAME} characters")
    return by
