/** Prints the bundle's coverage by processes on the rigs; exits with 1 if it is below the floor. */
import { readdirSync, rmSync } from 'node:fs';
import { execa } from 'execa';
import { CoverageReport } from 'monocart-coverage-reports';
import { coverageFloors } from './floors.ts';

const root = new URL('../../', import.meta.url).pathname;
const records = `${root}.cache/coverage/bundle`;

/** Loads every part of the bundle, so that parts which no process has loaded count as not executed. */
const loadAll = `
  const { readdirSync } = await import('node:fs');
  const parts = readdirSync('dist').filter((name) => name.endsWith('.js') && name !== 'main.js');
  for (const part of parts) await import('${root}dist/' + part);
`;
await execa(process.execPath, ['--input-type=module', '--eval', loadAll], {
  cwd: root,
  env: { NODE_V8_COVERAGE: records },
});

const report = new CoverageReport({
  outputDir: `${root}.cache/coverage/report`,
  reports: ['none'],
  logging: 'error',
  entryFilter: ({ url }: { readonly url: string }) => /\/dist\/[^/]+\.js$/.test(url),
  sourceFilter: (path: string) => /(^|\/)src\//.test(path) && !path.includes('node_modules'),
});
await report.addFromDir(records);
const results = await report.generate();
const percent = Number(results?.summary.statements?.pct);
console.info(
  `bundle: ${percent} % of its statements ran in ${readdirSync(records).length} recorded processes; floor ${coverageFloors.bundle} %`,
);
rmSync(records, { recursive: true });
if (!(percent >= coverageFloors.bundle)) process.exitCode = 1;
