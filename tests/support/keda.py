"""KEDA's rule, and that of the autoscaler behind it: how many replicas a ScaledObject asks for.

After KEDA's scaler `apache-kafka` (`getTotalLag`, without `allowIdleConsumers`) and Kubernetes' autoscaler for metrics
by average value: `ceil(metric / target)`, the most of all metrics, within the bounds. Left out is what the autoscaler
adds over time: it ignores a tenth more or less, and takes no pod away for its cooldown.
"""

import math
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

_NOTHING_COMMITTED = -1


async def lag_of(bootstrap: str, group: str, topic: str, *, partitions: int) -> int:
    """What the group has not committed of the topic, as KEDA asks Kafka for it; `offsetResetPolicy: earliest`."""
    admin, consumer = AIOKafkaAdminClient(bootstrap_servers=bootstrap), AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await admin.start()
    await consumer.start()
    try:
        committed = await admin.list_consumer_group_offsets(group)
        lag = 0
        all_of_it = [TopicPartition(topic, number) for number in range(partitions)]
        for partition, end in (await consumer.end_offsets(all_of_it)).items():
            known = committed.get(partition)
            lag += end if known is None or known.offset == _NOTHING_COMMITTED else max(0, end - known.offset)
        return lag
    finally:
        await consumer.stop()
        await admin.close()


def replicas(scaled: Mapping[str, Any], lags: Mapping[str, int], *, partitions: int) -> int:
    """With `lags` by topic; a topic that is not named has none. `partitions`: of each topic."""
    spec = scaled["spec"]
    wanted = [
        math.ceil(min(lags.get(one["metadata"]["topic"], 0), partitions * threshold) / threshold)
        for one in spec["triggers"]
        if (threshold := int(one["metadata"]["lagThreshold"]))
    ]
    return min(max(*wanted, int(spec["minReplicaCount"])), int(spec["maxReplicaCount"]))
