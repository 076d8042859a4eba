// Series of measurements with a known truth: steady ones of several shapes, and a step of a known size at a known place.
import type { Uniform } from '@assay/core';

export type Shape = {
  readonly name: string;
  /** Whether values are independent: the detector's promise is for those. */
  readonly isIndependent: boolean;
  /** A stream of values around 100. */
  readonly start: (uniform: Uniform) => () => number;
};

const normal = (uniform: Uniform): number =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

export const noisy = (percent: number): Shape => ({
  name: `normal, ${percent} % noise`,
  isIndependent: true,
  start: (uniform) => () => 100 + percent * normal(uniform),
});

const leaning = (phi: number): Shape => ({
  name: `each value leans on the last (AR 1, ${phi})`,
  isIndependent: false,
  start: (uniform) => {
    let off = 0;
    return () => {
      off = phi * off + Math.sqrt(1 - phi * phi) * 2 * normal(uniform);
      return 100 + off;
    };
  },
});

export const steadyShapes: readonly Shape[] = [
  noisy(1),
  noisy(3),
  {
    name: 'skewed (log-normal 5 %), one in 30 doubled',
    isIndependent: true,
    start: (uniform) => () => 100 * Math.exp(0.05 * normal(uniform)) * (uniform() < 1 / 30 ? 2 : 1),
  },
  {
    name: 'two modes, 12 % apart',
    isIndependent: true,
    start: (uniform) => () => (uniform() < 0.3 ? 112 : 100) + normal(uniform),
  },
  {
    name: 'whole milliseconds, mostly equal',
    isIndependent: true,
    start: (uniform) => () => Math.round(100 + 0.4 * normal(uniform)),
  },
  leaning(0.3),
  leaning(0.6),
];

export const drawMany = (count: number, draw: () => number): number[] => Array.from({ length: count }, draw);
