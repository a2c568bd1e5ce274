/** The time of a verdict with 10 000 rules: with the index, and with a scan of all rules. */
import { decideCall, type PolicyRequest } from '../../src/ipc/policy/decide-call.ts';
import { decideLinearly } from '../ipc/policy/linear-decide.ts';
import { policyOf, rulesOf } from '../ipc/policy/policy-of.ts';
import { lessIsBetter, type Metric, median } from './metric.ts';

const rules = 10_000;
const rounds = 7;

const self = 'target';

/**
 * The rule at an index, as in a fleet's policy: some services have many rules, many services have few; some
 * rules use tags and keywords. Every fourth rule has this VM as its destination.
 */
const ruleText = (at: number): string => {
  const service = at % 3 === 0 ? `common.${at % 7}` : `service.${at % 2000}`;
  const argument = at % 5 === 0 ? `+key${at % 50}` : '*';
  const source = at % 97 === 0 ? '@tag:work' : `vm${at % 400}`;
  const destination = at % 4 === 0 ? self : at % 31 === 0 ? '@anyvm' : `vm${at % 300}`;
  return `${service} ${argument} ${source} ${destination} ${at % 11 === 0 ? 'deny' : 'allow'}`;
};

const requestAt = (at: number): PolicyRequest => ({
  relayed: false,
  source: `vm${(at * 7) % 400}`,
  self,
  service: at % 3 === 0 ? `common.${at % 7}` : `service.${(at * 13) % 2100}`,
  argument: at % 2 === 0 ? `key${at % 50}` : '',
});

/**
 * The 99th percentile in microseconds. Each request counts with the median of its rounds, because other load
 * slows down different requests in different rounds.
 */
const p99Of = (requests: number, evaluate: (request: PolicyRequest) => unknown): number => {
  const timesOf = (): Float64Array => {
    const times = new Float64Array(requests);
    for (let at = 0; at < requests; at += 1) {
      const request = requestAt(at);
      const start = performance.now();
      evaluate(request);
      times[at] = performance.now() - start;
    }
    return times;
  };
  // The first round warms up the JIT compiler.
  timesOf();
  const all = Array.from({ length: rounds }, timesOf);
  const typical = Float64Array.from({ length: requests }, (_, at) =>
    median(all.map((times) => times[at] ?? Number.NaN)),
  );
  return (typical.sort()[Math.floor(requests * 0.99)] ?? Number.NaN) * 1000;
};

/** Measures the metric `policy_p99`. */
export const measurePolicyEvaluation = (): Metric => {
  const text = Array.from({ length: rules }, (_, at) => ruleText(at)).join('\n');
  const all = rulesOf(text);
  const policy = policyOf(all);
  const indexed = p99Of(10_000, (request) => decideCall(policy, request));
  const linear = p99Of(300, (request) => decideLinearly(all, request));
  return lessIsBetter('µs', [indexed], 'a scan of all rules', [linear]);
};
