// The drill's public door: draw a plan, run it, write what it found. It starts the command line that it is given, and knows no other.
export { drawPlan, type Plan, sayPlan, type Wish } from './plan.ts';
export { writeDrill } from './report/write.ts';
export { type DrillEnd, type DrillOptions, runDrill } from './run-drill.ts';
export { readScenario } from './scenario.ts';
