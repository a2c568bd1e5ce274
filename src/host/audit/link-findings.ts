/** Checks that this VM's agent answers and has all its links. */
import * as v from 'valibot';
import { dom0 } from '../../address/domid.ts';
import type { Role } from '../../ipc/agent/peer-status.ts';
import { printable, quoted } from '../../text/printable.ts';
import type { AuditFinding } from './finding.ts';

/** A link of this VM in its configuration or on its kernel command line. */
export type ListedPair = { readonly name: string; readonly role: Role };

/** The agent's answer. Any process could be listening on the agent's socket, so the answer is checked. */
export const agentAnswer = v.object({
  peers: v.array(
    v.object({
      name: v.string(),
      domid: v.nullable(v.number()),
      role: v.string(),
      state: v.string(),
      trouble: v.nullable(v.string()),
    }),
  ),
});

export type LinkFacts = {
  /** True if this VM should have a link, or if its agent's configuration is invalid. */
  readonly isAgentWanted: boolean;
  readonly pairs: readonly ListedPair[];
  /** The agent's answer, or the reason why there is none. */
  readonly agent:
    | ({ readonly kind: 'answer' } & v.InferOutput<typeof agentAnswer>)
    | { readonly kind: 'silence'; readonly reason: string };
};

/** Returns AGENT_ABSENT, or one finding for each link that is not up or leads to dom0. */
export const linkFindings = ({
  isAgentWanted,
  pairs,
  agent,
}: LinkFacts): readonly AuditFinding[] => {
  if (agent.kind === 'silence') {
    if (!isAgentWanted) return [];
    const what = `this VM should have links, but no agent answers: ${printable(agent.reason)}`;
    const remedy = 'rc-service vifwatch-agent start; vifwatch agent check';
    return [{ code: 'AGENT_ABSENT', what, do: remedy }];
  }
  const { peers } = agent;
  const down = pairs.flatMap(({ name, role }): AuditFinding[] => {
    const peer = peers.find((candidate) => candidate.name === name && candidate.role === role);
    if (peer?.state === 'up') return [];
    const why =
      peer?.trouble ?? peer?.state ?? 'the agent does not know this peer; restart the agent';
    const what = `the link with ${quoted(name)} is not up: ${printable(why)}`;
    return [{ code: 'LINK_DOWN', what, do: 'vifwatch peers; vifwatch audit in that VM' }];
  });
  const withDom0 = peers
    .filter(({ domid }) => domid === dom0)
    .map(
      ({ name }): AuditFinding => ({
        code: 'LINK_DOM0',
        what: `the agent has a link with dom0, under the name ${quoted(name)}`,
        do: 'stop the process that answers on the agent socket: vifwatch agent never links with dom0',
      }),
    );
  return [...down, ...withDom0];
};
