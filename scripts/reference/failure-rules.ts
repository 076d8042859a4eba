// docs/reference/failure-rules.md, from the rules themselves.
import { assertionMarks, failureRules } from '@assay/protocol';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const reads = {
  kernel: "the kernel's log while the attempt ran",
  text: 'messages of what failed; where the attempt was cut short, the end of its output',
  exit: 'how the process ended',
} as const;

export function failureRuleTables(): string {
  const tables = (['kernel', 'text', 'exit'] as const).map((kind) => {
    const rows = failureRules
      .filter((rule) => rule.reads === kind)
      .map(
        (rule) =>
          `| \`${rule.id}\` | ${rule.class} | \`${rule.code}\` | ${cell(lookedFor(rule))} | ${cell(rule.means)} | ${cell(rule.source)} |`,
      );
    return `## Read from ${reads[kind]}\n\n| rule | class | code | looked for | what it means | from |\n|---|---|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  const marks = assertionMarks.map((mark) => `\`${mark}\``).join(', ');
  return `# Failure rules\n\nThe first rule that applies gives a failed attempt its class and code; the rule and what it matched are stored with the attempt. \`*\` stands for anything within a line. A failure whose text has the mark of an assertion (${marks}) is the test's, whatever else it says.\n\n${tables.join('\n')}`;
}

function lookedFor(rule: (typeof failureRules)[number]): string {
  if (rule.exit === undefined) return rule.patterns.map((pattern) => `\`${pattern.replaceAll('`', "'")}\``).join(', ');
  const { signals = [], codes = [] } = rule.exit;
  return [...signals, ...codes.map((code) => `exit code ${code}`)].join(', ');
}
