// Run by `aiperf plugin build` in the directory of a JavaScript project.
import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const [source, wit, world, output] = process.argv.slice(-4);
const { component } = await componentize({
  sourcePath: source,
  witPath: wit,
  worldName: world,
  // With all of them off the component imports nothing but the contract.
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile(output, component);
