// The name of a capability class, computed here from the profile as we understood it: an agent's own word could place a
// machine in a class whose work it cannot do. The same text and cut as the agent's, so that honest ones agree.
import { createHash } from 'node:crypto';
import { type AgentMessage, type Hello, type Profile, profileDigestText } from '@assay/protocol';

function profileDigestOf(profile: Profile): string {
  return createHash('sha256').update(profileDigestText(profile)).digest('hex').slice(0, 32);
}

export function withOwnDigest(hello: Hello): Hello {
  return { ...hello, profileDigest: profileDigestOf(hello.profile) };
}

/** The messages of a frame, with the digest of every changed profile made anew. */
export function withOwnDigests(messages: AgentMessage[]): AgentMessage[] {
  if (!messages.some((message) => message.kind === 'report' && message.report.kind === 'profileChanged'))
    return messages;
  return messages.map((message) => {
    if (message.kind !== 'report' || message.report.kind !== 'profileChanged') return message;
    return { ...message, report: { ...message.report, profileDigest: profileDigestOf(message.report.profile) } };
  });
}
