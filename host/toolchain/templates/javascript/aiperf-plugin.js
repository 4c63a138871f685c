// What every plugin in JavaScript needs: settings from JSON, and exceptions as errors with words.

/** An error of the contract: tag is 'unsupported', 'malformed', 'server' or 'other'. */
export class PluginError extends Error {
  constructor(tag, message) {
    super(message);
    this.tag = tag;
  }
}

/**
 * The functions of the contract over a plugin with name, version, summary, settings (an object of defaults) and the
 * functions of its kind, which are called with the settings last.
 */
export function plugin({ name, version, summary, settings: defaults = {}, info = () => undefined, ...functions }) {
  let settings = defaults;
  const contract = {
    describe: () => ({ name, version, summary, settingsSchema: JSON.stringify(schema(defaults)) }),
    configure: inWords((text) => {
      settings = read(defaults, text);
      return info(settings);
    }),
  };
  for (const [key, call] of Object.entries(functions)) {
    contract[key] = inWords((...values) => call(...values, settings));
  }
  return contract;
}

/** An exception that leaves a component stops it without a word; an error of the contract reaches the user. */
function inWords(call) {
  return (...values) => {
    try {
      return call(...values);
    } catch (error) {
      const tag = error.tag ?? (error instanceof SyntaxError ? 'malformed' : 'other');
      throw { tag, val: tag === 'other' ? String(error) : error.message };
    }
  };
}

function schema(defaults) {
  const property = ([key, value]) => [key, { type: typeof value, default: value }];
  const properties = Object.fromEntries(Object.entries(defaults).map(property));
  return { type: 'object', properties, additionalProperties: false };
}

function read(defaults, text) {
  const values = JSON.parse(text);
  for (const [key, value] of Object.entries(values)) {
    if (!Object.hasOwn(defaults, key)) {
      throw new PluginError('invalid-settings', `unknown setting '${key}'`);
    }
    if (typeof value !== typeof defaults[key]) {
      const kind = typeof defaults[key];
      throw new PluginError('invalid-settings', `'${key}' is ${JSON.stringify(value)}, but must be a ${kind}`);
    }
  }
  return { ...defaults, ...values };
}

/** The measurement of a point with this key of the sweep file, such as ttft_p99_ms, or undefined. */
export function measurement(point, key) {
  return point.measurements.find((measurement) => measurement.key === key);
}
