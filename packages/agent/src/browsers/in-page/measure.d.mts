// Sent to the browser as text; its answer is JSON.
export function measure(): Promise<unknown>;
