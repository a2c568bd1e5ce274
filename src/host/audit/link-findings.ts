/** Whether this VM's agent runs, and has the links that it should have. */
import type { Role } from '../../ipc/agent/peer-status.ts';
import { printable, quoted } from '../../text/printable.ts';
import type { AuditFinding } from './finding.ts';

/** A pair that this VM is told of. */
export type ListedPair = { readonly name: string; readonly role: Role };

/** As whatever has the agent's socket says it. */
type AgentPeer = {
  readonly name: string;
  readonly domid: number | null;
  readonly role: string;
  readonly state: string;
  readonly trouble: string | null;
};

export type LinkFacts = {
  /** Whether it is told of any link at all. */
  readonly isAgentWanted: boolean;
  readonly pairs: readonly ListedPair[];
  /** What the agent says, or why it says nothing. */
  readonly agent: { readonly peers: readonly AgentPeer[] } | { readonly silent: string };
};

export const linkFindings = ({
  isAgentWanted,
  pairs,
  agent,
}: LinkFacts): readonly AuditFinding[] => {
  if ('silent' in agent) {
    if (!isAgentWanted) return [];
    const what = `this VM is to have links, and no agent answers: ${printable(agent.silent)}`;
    const remedy = 'rc-service vifwatch-agent start; vifwatch agent check';
    return [{ code: 'AGENT_ABSENT', what, do: remedy }];
  }
  const { peers } = agent;
  const down = pairs.flatMap(({ name, role }): AuditFinding[] => {
    const peer = peers.find((candidate) => candidate.name === name && candidate.role === role);
    if (peer?.state === 'up') return [];
    const why = peer?.trouble ?? peer?.state ?? 'the agent does not know of it: restart it';
    const what = `the link with ${quoted(name)} is not up: ${printable(why)}`;
    return [{ code: 'LINK_DOWN', what, do: 'vifwatch peers; vifwatch audit in that VM' }];
  });
  const withDom0 = peers
    .filter(({ domid }) => domid === 0)
    .map(
      ({ name }): AuditFinding => ({
        code: 'LINK_DOM0',
        what: `the agent has dom0 for a peer, as ${quoted(name)}`,
        do: 'stop whatever answers for the agent: ours takes no link with dom0',
      }),
    );
  return [...down, ...withDom0];
};
