"""Finds where a metric that should grow has all but stopped growing."""

from dataclasses import dataclass

from aiperf_plugin import Plugin
from wit_world.exports.trend import Finding, Report
from wit_world.imports.types import Direction


@dataclass
class Plateau:
    """The settings, as in --trend '{{name}}:{"share":0.9}'."""

    share: float = 0.95


class Trend(Plugin):
    name = "{{name}}"
    version = "0.1.0"
    summary = "{{summary}}"
    Settings = Plateau

    def detect(self, series):
        best = max(sample.y for sample in series.samples)
        reached = [at for at, sample in enumerate(series.samples) if sample.y >= self.settings.share * best]
        if series.better != Direction.MAXIMIZE or not reached or reached[0] + 1 == len(series.samples):
            return Report([], [])
        at = reached[0]
        share, place = self.settings.share * 100, series.samples[at].x
        message = f"{share:.0f} % of the best value is reached at {series.parameter} {place:g}"
        return Report([Finding("inflection", message, at, at, None, 1.0)], [])
