// Fleets with planted truths: what is wrong is drawn, the production engine finds it or not, and the story is scored.
export { drawPlant, plantKinds } from './plant.ts';
export type { Plant, PlantKind } from './plant.ts';
export { PlantedFleet } from './planted-fleet.ts';
export { addCounts, emptyCounts, scoreOf } from './score.ts';
export type { Counts, Score } from './score.ts';
export type { Story } from './story.ts';
