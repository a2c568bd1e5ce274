import { expect, test } from 'vitest';
import { parseAgentConfig } from '../../../src/ipc/config/agent-config.ts';

const parse = (text: string, commandLine = '') =>
  parseAgentConfig('agent.toml', text, `console=hvc0 ${commandLine} quiet`);

test('an empty file takes the whole configuration from the kernel command line', () => {
  expect(parse('', 'ipc_serve=workload-vm,mgmt-vm ipc_connect=sa-vm')).toEqual({
    serve: { names: ['workload-vm', 'mgmt-vm'], everyone: false },
    connect: ['sa-vm'],
    relay: undefined,
    group: undefined,
  });
});

test('the file adds to the kernel command line', () => {
  const config = parse(
    'serve = ["a", "*"]\nconnect = ["b"]\ngroup = "ipc"',
    'ipc_serve=a ipc_connect=b,c',
  );
  expect(config).toEqual({
    serve: { names: ['a'], everyone: true },
    connect: ['b', 'c'],
    relay: undefined,
    group: 'ipc',
  });
});

test.each([
  ['relay = "net-vm"', ''],
  ['', 'ipc_relay=net-vm'],
  ['relay = "net-vm"', 'ipc_relay=net-vm ipc_relay=net-vm'],
])('%j and %j name one relay', (text, commandLine) => {
  expect(parse(text, commandLine).relay).toBe('net-vm');
});

test.each([
  ['serve = "a"', '', 'agent.toml:1:1: serve: '],
  ['serve = ["a"]\nconnect = ["*"]', '', 'agent.toml:2:12: connect: not a valid VM name'],
  ['serve = ["a/b"]', '', 'agent.toml:1:10: serve: not a valid VM name'],
  ['server = []', '', 'agent.toml:1:1: unknown key "server"'],
  ['group = "no group"', '', 'agent.toml:1:1: group: not a valid group name'],
  ['relay = "*"', '', 'agent.toml:1:1: relay: not a valid VM name'],
  [
    '\nrelay = "b"',
    'ipc_relay=a',
    'agent.toml:2:1: only one relay is possible, not both "a" and "b"',
  ],
  ['', 'ipc_relay=a,b', '/proc/cmdline: only one relay is possible, not both "a" and "b"'],
  [
    '',
    'ipc_relay=a ipc_relay=b',
    '/proc/cmdline: only one relay is possible, not both "a" and "b"',
  ],
  ['', 'ipc_relay=../x', '/proc/cmdline: ipc_relay: "../x" is not a valid VM name'],
  ['', 'ipc_connect=../x', '/proc/cmdline: ipc_connect: "../x" is not a valid VM name'],
])('%j and %j is an error that names its place', (text, commandLine, message) => {
  expect(() => parse(text, commandLine)).toThrow(message);
});
