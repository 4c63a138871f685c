// Keeps every point that no other point beats by a clear margin on all objectives at once.

import { plugin } from './aiperf-plugin.js';

const gain = (axis, mine, theirs) => (axis.direction === 'maximize' ? mine - theirs : theirs - mine);

const beats = (axes, left, right, margin) =>
  axes.every((axis, at) => {
    const [mine, theirs] = [left.scores[at].mean, right.scores[at].mean];
    return gain(axis, mine, theirs) > margin * Math.abs(theirs);
  });

export const pareto = plugin({
  name: '{{name}}',
  version: '0.1.0',
  summary: '{{summary}}',

  // The settings, as in --pareto '{{name}}:{"margin":0.1}'.
  settings: { margin: 0.05 },

  judge: (axes, candidates, { margin }) =>
    candidates.map((candidate) => {
      const winner = candidates.findIndex((other) => beats(axes, other, candidate, margin));
      return { standing: winner < 0 ? { tag: 'optimal' } : { tag: 'dominated-by', val: winner } };
    }),
});
