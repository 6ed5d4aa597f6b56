"""The form by which an extract is mailed: what is wrong with it is told of which field, and what is sent is listed."""

import re

from tests.integration.pages.site import COPY, Site
from tests.integration.pages.visitor import Visitor


async def test_what_is_wrong_is_told_of_which_field_and_what_is_right_is_sent(site: Site, sender: Visitor) -> None:
    await sender.follow(f"/archive/extracts/{COPY}")
    await sender.press(COPY, paragraph="29", certified_by="Karin Ek, registrator")
    await sender.follow(f"/archive/extracts/{COPY}/1/people")
    await sender.press("/people", name="", email="", sender_name="", sender_email="")
    faults = re.findall(r'<a href="#(\w+)">([^<]+)</a>', sender.page.text.partition("error-summary")[2])
    assert faults[:4] == [
        ("name", "Skriv mottagarens namn"),
        ("email", "Skriv mottagarens e-postadress"),
        ("sender_name", "Skriv avsändarens namn"),
        ("sender_email", "Skriv avsändarens e-postadress"),
    ]
    people = {"name": "Nora Vik", "email": "nora.vik@bjorka.example"}
    await sender.press("/people", **people, sender_name="Maja Lind", sender_email="maja.lind@norrdalen.example")
    assert "Mejlet med länken är på väg." in sender.page.text
    assert "Nora Vik (nora.vik@bjorka.example)" in sender.page.text
