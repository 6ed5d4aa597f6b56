"""The form that mails an extract: what is wrong is told of which field, what is sent is listed and opens."""

import re

from tests.integration.pages.site import ARCHIVED, COPY, Extracts, Site
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
    for language, opens, closed in (
        ("sv", "Protokollsutdrag, § 29", "Behöver du det? Svara på mejlet med länken"),
        ("en", "Extract of minutes, § 29", "Do you need it? Reply to the e-mail with the link"),
    ):
        site.extracts.language, site.extracts.opens_until = language, Extracts.opens_until
        assert opens in (await sender.follow(site.extract_link(people["email"]))).text
        site.extracts.opens_until = ARCHIVED.replace(year=2021)
        assert closed in (await sender.follow(site.extract_link(people["email"]))).text
