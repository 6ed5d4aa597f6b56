"""What the benchmark's peers carry is what the bare baseline does: the same events, mails and aggregates."""

from collections import Counter

from tests.benchmarks.hops import effect, first
from tests.benchmarks.pipeline import MAILS


def test_an_agreement_of_the_peers_has_the_hops_of_the_baseline() -> None:
    (begun,) = first(1)
    waiting, done, added = [begun], Counter[str](), Counter[str]()
    while waiting:
        hop = waiting.pop()
        statements, following = effect(hop)
        waiting += following
        done[hop.kind] += 1
        added[hop.service] += sum("INTO aggregate" in str(statement) for statement, _ in statements)
    assert done["journal"] == 27
    assert done["mail"] == MAILS
    assert added == {"meetings": 1, "signing": 1, "archive": 1, "notifications": 0}
