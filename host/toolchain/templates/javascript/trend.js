// Finds where a metric that should grow has all but stopped growing.

import { plugin } from './aiperf-plugin.js';

export const trend = plugin({
  name: '{{name}}',
  version: '0.1.0',
  summary: '{{summary}}',

  // The settings, as in --trend '{{name}}:{"share":0.9}'.
  settings: { share: 0.95 },

  detect({ samples, better, parameter }, { share }) {
    const best = Math.max(...samples.map((sample) => sample.y));
    const at = samples.findIndex((sample) => sample.y >= share * best);
    if (better !== 'maximize' || at < 0 || at + 1 === samples.length) return { findings: [], derived: [] };
    const message = `${Math.round(share * 100)} % of the best value is reached at ${parameter} ${samples[at].x}`;
    const finding = { kind: 'inflection', message, first: at, last: at, certainty: 1 };
    return { findings: [finding], derived: [] };
  },
});
