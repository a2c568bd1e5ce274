/** Makes requests whose thread cannot allocate; prints their outcomes. */
import { openXenstore } from '../../../src/xen/xenstore.ts';

const xenstore = openXenstore();
const codeOf = (error: NodeJS.ErrnoException): string => `${error.code}`;
const outcomes = [
  await xenstore.read('domid').catch(codeOf),
  await xenstore.readAll(['domid']).catch(codeOf),
  await xenstore.list('data').catch(codeOf),
  await xenstore.read('domid').catch(codeOf),
];
xenstore.close();
console.log(JSON.stringify(outcomes));
