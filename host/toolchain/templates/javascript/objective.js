// Requests per second, where the first token comes in time.

import { measurement, plugin } from './aiperf-plugin.js';

export const objective = plugin({
  name: '{{name}}',
  version: '0.1.0',
  summary: '{{summary}}',

  // The settings, as in --objective '{{name}}:{"limit_ms":100}'.
  settings: { limit_ms: 200 },

  info: () => ({ direction: 'maximize', unit: 'requests/sec' }),

  evaluate(point, { limit_ms }) {
    const ttft = measurement(point, 'ttft_p99_ms');
    const throughput = measurement(point, 'request_throughput_avg');
    if (!ttft || !throughput || ttft.mean > limit_ms) return undefined;
    return { value: throughput.mean, metric: throughput.key };
  },
});
