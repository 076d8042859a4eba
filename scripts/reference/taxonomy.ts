// docs/reference/taxonomy.md, from the tables that requirements are checked against and devices are made by.
import {
  classTable,
  deviceRows,
  families,
  fieldRows,
  gateRules,
  isaGroups,
  similarityWeights,
  unitRows,
} from '@assay/core';
import { vendors } from '@assay/protocol';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`;

export function taxonomyPage(): string {
  return [
    '# Hardware taxonomy and the language of requirements',
    'Class, family, model, unit: an attribute of one holds for what is below it, unless that says otherwise. `assay requires --list` prints the fields, `assay requires --check` checks an expression.',
    `## Classes\n\n${table(
      ['class', 'is', 'families are told apart by', 'units come from'],
      classTable.map((entry) => [code(entry.class), cell(entry.meaning), cell(entry.families), cell(entry.units)]),
    )}`,
    `## Attributes of a device\n\n${table(
      ['field', 'type', 'meaning', 'name in Kubernetes', 'source'],
      deviceRows().map(({ field, type, meaning, kubernetes, source }) => [
        code(field),
        type,
        cell(meaning),
        cell(kubernetes ?? ''),
        cell(source ?? ''),
      ]),
    )}`,
    `## Units\n\n${table(
      ['dimension', 'functions', 'meaning'],
      unitRows().map(({ dimension, units, meaning }) => [
        dimension,
        units.map((name) => code(`${name}(n)`)).join(' '),
        cell(meaning),
      ]),
    )}`,
    `## Other fields\n\n${table(
      ['field', 'type', 'vouched for by', 'meaning'],
      fieldRows().map(({ field, type, vouched, meaning }) => [
        code(field),
        type,
        { measured: 'a probe', declared: 'the operator', enforced: 'the server' }[vouched] ?? vouched,
        cell(meaning),
      ]),
    )}`,
    `## Groups of instruction sets\n\n${table(
      ['group', 'where all of these are', 'meaning', 'name in NFD'],
      isaGroups.map(({ group, needs, meaning, nfd }) => [code(group), needs.join(' '), cell(meaning), nfd ?? '']),
    )}`,
    ...knownParts(),
    ...rules(),
  ].join('\n\n');
}

function sayAttributes(attributes: Readonly<Record<string, unknown>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(' ') : String(value)}`)
    .join('; ');
}

function knownParts(): string[] {
  return [
    `## Families and models\n\nWhat is published of every part of a family or model. What differs between parts of one name is left out, and is unknown unless a probe measured it.\n\n${table(
      ['class', 'vendor', 'family', 'model', 'attributes', 'source'],
      families.flatMap((entry) => [
        [entry.class, entry.vendor ?? '', code(entry.family), '', sayAttributes(entry.attributes), cell(entry.source)],
        ...(entry.models ?? []).map((model) => [
          entry.class,
          entry.vendor ?? '',
          code(entry.family),
          code(model.model),
          sayAttributes(model.attributes),
          cell(model.source),
        ]),
      ]),
    )}`,
    `## Vendors\n\n${table(
      ['vendor', 'name', 'PCI', 'USB', 'its tool'],
      vendors.map(({ vendor, name, pci = [], usb = [], tools = [] }) => [
        code(vendor),
        name,
        pci.join(' '),
        usb.join(' '),
        tools.join(' '),
      ]),
    )}`,
  ];
}

function rules(): string[] {
  return [
    `## Gates\n\nWhat moves by itself holds back new work while it is bad.\n\n${table(
      ['gate', 'shuts', 'opens again', 'unit', 'why'],
      gateRules.map(({ gate, shutsWhen, shutAt, openAt, unit, why }) => [
        code(gate),
        `at ${shutAt} and ${shutsWhen}`,
        `at ${openAt}`,
        cell(unit),
        cell(why),
      ]),
    )}`,
    `## Weights of similarity\n\nThe first pattern that fits the name of an attribute gives its weight; any other weighs 1.\n\n${table(
      ['pattern', 'weight', 'why'],
      similarityWeights.map(({ pattern, weight, why }) => [code(pattern.source), String(weight), cell(why)]),
    )}`,
  ];
}
