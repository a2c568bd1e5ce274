/** A process that writes values to a xenstore node in turn: churn.ts SECONDS PER_SECOND PATH VALUE... */
import { setTimeout as delay } from 'node:timers/promises';
import { openXenstore } from '../../../src/xen/xenstore.ts';

const [, , seconds, perSecond, path = '', ...values] = process.argv;
const store = openXenstore();
const start = performance.now();
let written = 0;
for (;;) {
  const passed = (performance.now() - start) / 1000;
  if (passed > Number(seconds)) break;
  // The writes go out together: otherwise each would wait for the answer to the previous write.
  if (written < passed * Number(perSecond)) {
    await Promise.all(values.map((value) => store.write(path, value)));
    written += values.length;
  } else {
    await delay(1);
  }
}
store.close();
process.stdout.write(`${written}`);
