"""What people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.text import (
    ascii_domain,
    clean_email,
    clean_ip,
    clean_mailbox,
    clean_name,
    clean_reason,
    named_twice,
    same_email,
    same_mailbox,
)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Åsa Öberg\n", "Åsa Öberg"),
        ("A\u030asa", "Åsa"),
        ("*Olof* #Berg <b>$x$</b> {ip}", "*Olof* #Berg <b>$x$</b> {ip}"),
        ("李小龍", "李小龍"),
        ("N" * 200, "N" * 200),
        ("Olof\nBerg", "Olof Berg"),
        ("Olof\u2028Berg", "Olof Berg"),
        ("Olof\xa0\tBerg", "Olof Berg"),
        ("Sven Dahl Ž\ufeff", "Sven Dahl Ž"),
        ("Ols\xadson\u200b\u200e", "Olsson"),
    ],
)
def test_names_are_free_text(typed: str, kept: str) -> None:
    assert clean_name(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "\u200b",
        "\u2800",
        "\u3164",
        "N" * 201,
        "Olof\x07",
        "Olof\u202egreB",
        "Olof\u2066",
        "\ud800",
        "Ol\ufffdf",
    ],
)
def test_what_is_no_name(typed: str) -> None:
    with pytest.raises(InvalidInput):
        clean_name(typed)


def test_a_reason_becomes_one_line() -> None:
    assert clean_reason(" fel\r\n\r\ndatum\ti § 30 ") == "fel datum i § 30"
    for typed in ("", "\n", "x" * 2001, "fel\u202e", "fel\x00"):
        with pytest.raises(InvalidInput):
            clean_reason(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "olof.berg@bjorka.example",
        "Olof.Berg+protokoll@Bjorka.Example",
        "olöf@björkå.example",
        "o'hara@a-b.example",
        "postmaster@localhost",
        "x" * 64 + "@a.example",
    ],
)
def test_addresses(typed: str) -> None:
    assert clean_email(f" {typed} ") == typed


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "olof",
        "@bjorka.example",
        "olof@",
        "o@b@bjorka.example",
        "olof berg@bjorka.example",
        "olof@bjorka..example",
        ".olof@bjorka.example",
        "olof.@bjorka.example",
        "olof@-bjorka.example",
        "olof@bjorka.example\n",
        "olof@bjorka.example\r\nBcc: x@y.example",
        "o\u200blof@bjorka.example",
        "o\u202elof@bjorka.example",
        "olof@bjorka.example>",
        "<olof@bjorka.example",
        '"o b"@bjorka.example',
        "x" * 65 + "@a.example",
        "a@" + "b." * 130 + "example",
    ],
)
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(InvalidInput):
        clean_email(typed)


def test_addresses_compare_without_case() -> None:
    assert same_email("Olof@Bjorka.example", "olof@bjorka.EXAMPLE")


def test_ip_addresses() -> None:
    assert clean_ip(" 192.0.2.1 ") == "192.0.2.1"
    assert clean_ip("2001:DB8:0::1") == "2001:db8::1"
    for typed in ("", "192.0.2.256", "192.0.2", "host.example"):
        with pytest.raises(InvalidInput):
            clean_ip(typed)


@given(st.text())
def test_whatever_is_typed_is_cleaned_for_good_or_refused_in_one_line(typed: str) -> None:
    for clean in (clean_name, clean_reason, clean_email, clean_ip):
        try:
            kept = clean(typed)
        except InvalidInput as refusal:
            message = refusal.message
        else:
            message = clean(kept)
            assert message == kept
        assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("domain", "ascii_form"),
    [
        ("straße.example", "xn--strae-oqa.example"),  # IDNA 2003 made it strasse.example, which is someone else's
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("BJÖRKÅ.example", "xn--bjrk-toa3h.example"),
        ("norrdalen.example", "norrdalen.example"),
    ],
)
def test_a_domain_is_written_as_idna_2008(domain: str, ascii_form: str) -> None:
    assert ascii_domain(domain) == ascii_form


def test_fass_and_fass_with_a_sharp_s_are_two_addresses() -> None:
    assert not same_email("karin@faß.example", "karin@fass.example")
    assert same_email("Åke@BJÖRKÅ.example", "åke@björkå.example")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("olof@Björkå.example", "OLOF@xn--bjrk-toa3h.EXAMPLE"),
        ("olof@bjo\u0308rka\u030a.example", "olof@björkå.example"),
        ("olof@\uff42jorka.example", "olof@bjorka.example"),  # a wide b, which UTS 46 maps
        ("olof@bjorka\u3002example", "olof@bjorka.example"),
        ("Olof@Bjorka.example", "olof@bjorka.EXAMPLE"),
    ],
)
def test_addresses_whose_mail_arrives_at_one_place(one: str, other: str) -> None:
    assert same_mailbox(one, other)
    assert named_twice([one, "karin@bjorka.example", other]) == f"{other} (that is {one})"


def test_addresses_of_two_places() -> None:
    assert named_twice(["olof@strasse.example", "olof@straße.example", "o@x\u0378y.example"]) is None
    assert named_twice(["olof@berg.example"] * 2) == "olof@berg.example"


@pytest.mark.parametrize("address", ["björn.ek@norrdalen.example", "anna@x\u0378y.example"])
def test_a_mailbox_is_one_that_mail_servers_take(address: str) -> None:
    with pytest.raises(InvalidInput):
        clean_mailbox(address)
    assert clean_mailbox("anna@straße.example") == "anna@straße.example"


@pytest.mark.parametrize("hidden", ["\u034f", "\u3164", "\ufe0f", "\u115f", "\u200b"])
@pytest.mark.parametrize("at", [2, 9])
def test_an_address_hides_nothing(hidden: str, at: int) -> None:
    """Else one mailbox would be two signers."""
    plain = "sven@bjorka.example"
    with pytest.raises(InvalidInput, match="invisible"):
        clean_email(plain[:at] + hidden + plain[at:])
