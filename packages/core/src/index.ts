// The pure heart: engine, life cycles, hardware, scheduling. No timers, no I/O, no randomness of its own.
export * from "./engine/config.ts";
export * from "./engine/events.ts";
export * from "./engine/inputs.ts";
