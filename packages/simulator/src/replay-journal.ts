// A journal from a state directory or an exported file, and its decisions made again.
import { readFileSync, statSync } from 'node:fs';
import { createEngine, emptyState, engineDefaults, restore, type EngineConfig, type State } from '@assay/core';
import { readJournalFiles } from '@assay/coordinator/journal-files';
import type { JournalEntry } from '@assay/coordinator/simulation';
import { compareReplay } from './replay.ts';

export type ReadJournal = { config: EngineConfig; state: State; entries: JournalEntry[] };

/** `configFile`: settings that were not the defaults, as JSON. An exported file may start with a line `{"config": ...}`. */
export function readJournal(path: string, configFile: string | undefined): ReadJournal {
  const given = configFile === undefined ? {} : (JSON.parse(readFileSync(configFile, 'utf8')) as Partial<EngineConfig>);
  if (statSync(path).isDirectory()) {
    const { snapshot, entries } = readJournalFiles(path);
    const state = snapshot === null ? emptyState() : restore(snapshot.state);
    return { config: { ...engineDefaults, ...given }, state, entries };
  }
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as JournalEntry | { config: Partial<EngineConfig> });
  const config = { ...engineDefaults };
  const entries: JournalEntry[] = [];
  for (const line of lines) {
    if ('config' in line) Object.assign(config, line.config);
    else entries.push(line);
  }
  return { config: { ...config, ...given }, state: emptyState(), entries };
}

export function replayJournal({ config, state, entries }: ReadJournal): { entries: number; difference: string | null } {
  const first = entries[0];
  if (first !== undefined && first.seq !== state.seq + 1)
    throw new Error(`the first entry is ${first.seq}, and ${state.seq + 1} is needed`);
  return { entries: entries.length, difference: compareReplay(createEngine(config, state), entries) };
}
