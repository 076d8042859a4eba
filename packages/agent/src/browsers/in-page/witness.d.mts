// Sent to the browser as text.
export function witness(binding: string): void;
