import { resultStoreContract } from '../ports/result-store.contract.ts';
import { createMemoryResultStore } from './results-memory.ts';

resultStoreContract('memory', (test) => test(createMemoryResultStore()));
