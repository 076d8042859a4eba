// The command line's reference, from the same definitions that parse it.
import type { Command } from 'commander';

/** One section a command, with arguments, options and their defaults. */
export function commandReference(program: Command): string {
  return program.commands.flatMap((command) => section(command, program.name())).join('\n');
}

function section(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((inner) => section(inner, name));
  const args = command.registeredArguments.map((argument) => {
    const shown = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${shown}>` : `[${shown}]`;
  });
  const options = command.options.map((option) => {
    const fallback =
      option.defaultValue === undefined || option.defaultValue === '' || option.long === '--name'
        ? ''
        : ` (default: \`${String(option.defaultValue)}\`)`;
    return `| \`${option.flags}\` | ${option.description.replaceAll('|', '\\|')}${fallback} |`;
  });
  const table = options.length === 0 ? [] : ['| option | meaning |', '|---|---|', ...options, ''];
  return [`## ${name}`, '', `\`${[name, ...args].join(' ')}\``, '', command.description(), '', ...table];
}
