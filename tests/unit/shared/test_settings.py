"""Settings that are wrong are refused at the start, by name."""

import pytest

from shared.settings import BadConfiguration, load_settings


@pytest.mark.parametrize("level", ["debug", "Info", "WARNING", "error", "CRITICAL"])
def test_a_log_level_in_any_case(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_LOG_LEVEL", level)
    assert load_settings().log_level == level.upper()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8350", "https://justera.example", "https://norrdalen.example/justera/", "http://[::1]:1"]
)
def test_a_public_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_PUBLIC_URL", url)
    assert load_settings().public_url == url


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LOG_LEVEL", "loud", "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("LOG_LEVEL", "", "DEBUG"),
        *(
            ("PUBLIC_URL", url, "is no address like https://justera.example")
            for url in (
                "",
                "foo",
                "justera.example",
                "ftp://justera.example",
                "https://",
                "https://:8350",
                "http://host:port",
                "http://host:0",
                "http://[::1",
                "http://a b",
                "https://justera.example/?a=b",
                "https://justera.example/#a",
                "https://justera.example/\n",
            )
        ),
    ],
)
def test_a_wrong_one_is_named(name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"JUSTERA_{name}", value)
    with pytest.raises(BadConfiguration) as caught:
        load_settings()
    assert caught.value.message.startswith(f"JUSTERA_{name}: ")
    assert says in caught.value.message
    assert "Value error" not in caught.value.message
