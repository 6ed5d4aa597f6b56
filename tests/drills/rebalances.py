"""What a log tells of rebalances."""

import json


def stood_in(log: str) -> list[float]:
    """For how many seconds a process handled nothing, each time that a group of its rebalanced."""
    lines = (json.loads(line) for line in log.splitlines() if '"consumer.rebalanced"' in line)
    return [float(line["stood"]) for line in lines]
