"""Requests per second, where the first token comes in time."""

from dataclasses import dataclass

from aiperf_plugin import Plugin, measurement
from wit_world.exports.objective import Evaluation, ObjectiveInfo
from wit_world.imports.types import Direction


@dataclass
class InTime:
    """The settings, as in --objective '{{name}}:{"limit_ms":100}'."""

    limit_ms: float = 200.0


class Objective(Plugin):
    name = "{{name}}"
    version = "0.1.0"
    summary = "{{summary}}"
    Settings = InTime

    def info(self):
        return ObjectiveInfo(Direction.MAXIMIZE, "requests/sec")

    def evaluate(self, point):
        ttft, throughput = measurement(point, "ttft_p99_ms"), measurement(point, "request_throughput_avg")
        if not ttft or not throughput or ttft.mean > self.settings.limit_ms:
            return None
        return Evaluation(throughput.mean, throughput.key)
