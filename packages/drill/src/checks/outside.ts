// What has to hold outside the journal: no process ended that nothing was done to, everything done was taken back, nothing is left.
import { type Check, judged, notEvaluated } from './check.ts';

export const nothingLeft: Check = ({ outside }) => {
  const title = 'no process, port, file or mount is left behind';
  if (outside.left === null) return notEvaluated('nothing-left', title, 'nobody looked');
  return judged('nothing-left', title, outside.left, 'processes by their environment, ports, scratch files, mounts');
};

export const everythingUndone: Check = ({ outside }) =>
  judged(
    'everything-undone',
    'everything that was done to the machine was taken back',
    outside.notUndone,
    'every undo succeeded',
  );

export const nobodyFell: Check = ({ outside }) =>
  judged(
    'nobody-fell',
    'no process of the fleet ended that nothing was done to',
    outside.ended,
    'every process ended by the drill',
  );
