// What every page may ask for: the live link and who is signed in.
import { createContext, useContext, useEffect, useSyncExternalStore } from 'react';
import type { SessionView } from '@assay/protocol';
import type { Activity } from '../live/activity.ts';
import type { Live, LinkState } from '../live/live.ts';

export type Here = { live: Live; session: SessionView; leave: () => void };

export const HereContext = createContext<Here | null>(null);

export function useHere(): Here {
  const here = useContext(HereContext);
  if (here === null) throw new Error('a page was shown outside the app');
  return here;
}

export function useLink(): LinkState {
  const { live } = useHere();
  return useSyncExternalStore(
    (listener) => live.onLink(listener),
    () => live.link(),
  );
}

/** What happened since the page was opened; the caller is drawn again at most once a second. */
export function useActivity(): Activity {
  const { activity } = useHere().live;
  useSyncExternalStore(
    (listener) => activity.onChange(listener),
    () => activity.version(),
  );
  return activity;
}

/** Whether the session may do it; the coordinator decides again. */
export function useMay(scope: 'submit' | 'operate' | 'admin'): boolean {
  const { scopes } = useHere().session;
  return scopes.includes('admin') || scopes.includes(scope);
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Assay`;
  }, [title]);
}
