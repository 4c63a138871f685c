// The native interface of Hugging Face's Text Generation Inference: /generate and /generate_stream.

import { plugin, PluginError } from './aiperf-plugin.js';

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** The data of an event as an object. */
function object(event, at) {
  let answer;
  try {
    answer = JSON.parse(decoder.decode(event.data));
  } catch (error) {
    throw new PluginError('malformed', `event ${at}: ${error.message}`);
  }
  if (answer === null || typeof answer !== 'object') throw new PluginError('malformed', `event ${at}: not an object`);
  return answer;
}

export const endpoint = plugin({
  name: '{{name}}',
  version: '0.1.0',
  summary: '{{summary}}',

  info: () => ({ defaultPath: '/generate', supportsStreaming: true, producesTokens: true }),

  build({ turns, maxOutputTokens, streaming, extra }) {
    if (turns.length !== 1 || turns[0].parts.some((part) => part.kind !== 'text')) {
      throw new PluginError('unsupported', 'the format has one prompt of text, not several turns');
    }
    const inputs = turns[0].parts.map((part) => part.value).join('');
    const parameters = { max_new_tokens: maxOutputTokens, details: true };
    const body = { inputs, parameters, ...JSON.parse(extra ?? '{}') };
    const path = streaming ? '/generate_stream' : undefined;
    return { path, headers: [], body: encoder.encode(JSON.stringify(body)) };
  },

  parse(events) {
    const response = { chunks: [], complete: false };
    events.forEach((event, at) => {
      const { token, generated_text: whole, details, error } = object(event, at);
      if (error !== undefined) throw new PluginError('server', String(error));
      const text = token?.text ?? whole ?? undefined;
      if (text === undefined) throw new PluginError('malformed', `event ${at}: neither token nor generated_text`);
      if (text !== '') response.chunks.push({ eventIndex: at, text });
      if (details) {
        response.usage = { outputTokens: details.generated_tokens };
        response.finishReason = details.finish_reason;
      }
      response.complete ||= typeof whole === 'string';
    });
    return response;
  },
});
