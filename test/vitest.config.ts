import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What measures no short time: it computes, or compares what a rig has become in the end. */
const timeless = [
  'test/{audit,call-policy,cli,config,core,dom0,image}/**/*.test.ts',
  'test/{mesh,net,protocol,scenario,services}/**/*.test.ts',
  'test/agent/{arrival,log-budget,relay*,reload,repeatable-input}.test.ts',
  'test/daemon/{bad-values,cli-*,convergence,differential,export-large,policy-model}.test.ts',
  'test/daemon/{crowd,events,ingress-chain,neighbour-claims,order,panic,policy-names}.test.ts',
  'test/daemon/{fights,gathering,programs,readiness,residue,same-address,site-chains,spoofing}.test.ts',
  'test/daemon/{trouble,unconfigured-vif,unmodified-guest,uplink,upstream-guard,vifname}.test.ts',
  'test/daemon/xenstored-trouble.test.ts',
  'test/native/{lifetime,load,operations,sanitizer,transaction,tree}.test.ts',
  'test/rig/{lab/lab,sim/rig}.test.ts',
];

/** The true rig takes longest: what else there is runs beside it. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLab = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('lab.test.ts');
    const sorted = await super.sort(files);
    return [...sorted.filter(isLab), ...sorted.filter((file) => !isLab(file))];
  }
}

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    // The machine may have other things to do just then; what is broken fails twice.
    retry: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'timeless',
          include: timeless,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'rigs',
          include: ['test/**/*.test.ts'],
          exclude: timeless,
          // They measure times and use both cores: side by side they would only disturb each other.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
