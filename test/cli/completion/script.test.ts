/** Common properties of the completion scripts for all shells. */
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { commandTable } from '../../../src/cli/commands/table.ts';
import { contextsOf } from '../../../src/cli/completion/context.ts';
import { completionScript } from '../../../src/cli/completion/script.ts';

const main = new URL('../../../dist/main.js', import.meta.url).pathname;

const contexts = contextsOf(commandTable);

describe.each(['bash', 'zsh', 'fish'] as const)('the script for %s', (shell) => {
  test('has every command and every visible option, and no hidden options', () => {
    const script = completionScript(shell, contexts);
    for (const { path, options } of commandTable.commands) {
      for (const word of [...path, ...Object.keys(options)]) expect(script).toContain(word);
    }
    expect(script).not.toContain('debug');
  });

  test('is the output of "vifwatch completion"', async () => {
    const { stdout } = await execa(process.execPath, [main, 'completion', shell]);
    expect(`${stdout}\n`).toBe(completionScript(shell, contexts));
  });
});
