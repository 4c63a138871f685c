"""Keeps every point that no other point beats by a clear margin on all objectives at once."""

from dataclasses import dataclass

from aiperf_plugin import Plugin
from wit_world.exports.pareto import Judgement, Standing_DominatedBy, Standing_Optimal
from wit_world.imports.types import Direction


@dataclass
class ClearMargin:
    """The settings, as in --pareto '{{name}}:{"margin":0.1}'."""

    margin: float = 0.05


class Pareto(Plugin):
    name = "{{name}}"
    version = "0.1.0"
    summary = "{{summary}}"
    Settings = ClearMargin

    def judge(self, axes, candidates):
        return [self.judgement(axes, candidates, candidate) for candidate in candidates]

    def judgement(self, axes, candidates, candidate):
        for position, other in enumerate(candidates):
            if self.beats(axes, other, candidate):
                return Judgement(Standing_DominatedBy(position), None)
        return Judgement(Standing_Optimal(), None)

    def beats(self, axes, left, right):
        return all(
            self.gain(axis, mine.mean, theirs.mean) > self.settings.margin * abs(theirs.mean)
            for axis, mine, theirs in zip(axes, left.scores, right.scores)
        )

    def gain(self, axis, mine, theirs):
        return mine - theirs if axis.direction == Direction.MAXIMIZE else theirs - mine
