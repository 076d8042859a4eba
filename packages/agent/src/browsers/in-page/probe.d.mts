// Sent to the browser as text; its answer is JSON.
export function probe(words: number[], withGpu: boolean): Promise<unknown>;
