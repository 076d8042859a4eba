import { blobStoreContract } from '../ports/blob-store.contract.ts';
import { createMemoryBlobStore } from './blobs-memory.ts';

blobStoreContract('memory', (nowMs, test) => test(createMemoryBlobStore(nowMs)));
