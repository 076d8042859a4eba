import { authorityContract } from '../ports/authority.contract.ts';
import { createMemoryAuthority } from './authority-memory.ts';

authorityContract('memory', (nowMs, test) => test(createMemoryAuthority(nowMs)));
