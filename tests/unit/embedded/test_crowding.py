from dataclasses import dataclass

from services.embedded.crowding import contested, least_missed


@dataclass(frozen=True)
class Held:
    host: str
    waits_since: float | None = None
    in_request: bool = False


def test_there_is_room_below_both_limits() -> None:
    assert contested([Held("a"), Held("b")], "a", 8) is None


def test_a_host_with_a_quarter_of_all_competes_with_itself() -> None:
    own = [Held("a", 1.0), Held("a", 2.0)]
    assert contested([*own, Held("b")], "a", 8) == own


def test_where_all_is_taken_everybody_competes() -> None:
    held = [Held(host) for host in "abcd"]
    assert contested(held, "e", 4) == held


def test_the_fullest_host_gives_way_first_though_others_have_waited_longer() -> None:
    late = Held("a", 9.0)
    held = [Held("b", 1.0), Held("a", 10.0), late]
    assert least_missed(held, held) is late


def test_a_pause_between_requests_ends_before_a_request_that_trickles_in() -> None:
    idle = Held("a", 9.0)
    held = [Held("a", 1.0, in_request=True), idle]
    assert least_missed(held, held) is idle


def test_nobody_who_is_being_answered_gives_way() -> None:
    held = [Held("a"), Held("a", in_request=True)]
    assert least_missed(held, held) is None
