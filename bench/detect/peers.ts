// What is often used instead, as published: Welch's t at p < 0.05 and a z-score rule. They judge the same series in the same run.
import { studentCdf } from '@assay/core';

export type Rule = { readonly name: string; readonly isAlarm: (values: readonly number[]) => boolean };

const recent = 5;
const baseline = 30;

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const varianceOf = (values: readonly number[]): number => {
  const middle = meanOf(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
};

/** B. Welch 1947: the newest five against up to thirty before them. */
const welch: Rule = {
  name: 'Welch t, p < 0.05',
  isAlarm: (values) => {
    const [tail, head] = [values.slice(-recent), values.slice(-recent - baseline, -recent)];
    if (head.length < 9) return false;
    const [a, b] = [varianceOf(tail) / tail.length, varianceOf(head) / head.length];
    if (a + b === 0) return meanOf(tail) !== meanOf(head);
    const t = Math.abs(meanOf(tail) - meanOf(head)) / Math.sqrt(a + b);
    const freedom = (a + b) ** 2 / (a ** 2 / (tail.length - 1) + b ** 2 / (head.length - 1));
    return 2 * studentCdf(-t, freedom) < 0.05;
  },
};

/** The newest value more than three standard deviations from the mean of up to thirty before it (W. Shewhart 1931). */
const zScore: Rule = {
  name: 'z-score above 3',
  isAlarm: (values) => {
    const [last, head] = [values.at(-1) as number, values.slice(-baseline - 1, -1)];
    return head.length >= 13 && Math.abs(last - meanOf(head)) > 3 * Math.sqrt(varianceOf(head));
  },
};

export const peers: readonly Rule[] = [welch, zScore];
