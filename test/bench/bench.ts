/** `npm run bench`: vifwatch against its peers on the fast rig, in one run. */
import { measureCalls } from './calls.ts';
import { measureForwarding } from './forwarding.ts';
import { measureNetwork } from './network.ts';
import { printTable } from './report.ts';

const say = (text: string): void => console.error(`bench: ${text}`);

const metrics = {
  ...(await measureNetwork(say)),
  ...(await measureForwarding(say)),
  ...(await measureCalls(say)),
};
printTable(metrics);
console.log(JSON.stringify(metrics));
