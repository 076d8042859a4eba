// The app around the pages: the session, the live link, and the addresses.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { SessionView } from '@assay/protocol';
import { client, isSignedOut, openSession, signOut } from './connection.ts';
import { type Live, startLive } from './live/live.ts';
import { Failure } from './parts/basic.tsx';
import { HereContext } from './parts/context.ts';
import { router } from './router.tsx';
import { SignIn } from './sign-in.tsx';

// The feed says when something is old; no clock does.
const queries = new QueryClient({
  defaultOptions: {
    queries: { staleTime: Number.POSITIVE_INFINITY, gcTime: 60_000, retry: false, refetchOnWindowFocus: false },
  },
});

type Asked =
  | { kind: 'asking' }
  | { kind: 'out' }
  | { kind: 'in'; session: SessionView }
  | { kind: 'failed'; error: unknown };

export function App() {
  const [asked, setAsked] = useState<Asked>({ kind: 'asking' });
  useEffect(() => {
    openSession().then(
      (session) => setAsked(session === null ? { kind: 'out' } : { kind: 'in', session }),
      (error: unknown) => setAsked({ kind: 'failed', error }),
    );
  }, []);
  const ended = useCallback(() => {
    queries.clear();
    setAsked({ kind: 'out' });
  }, []);
  if (asked.kind === 'asking') return <p className="empty">{'Opening…'}</p>;
  if (asked.kind === 'failed')
    return (
      <main className="door">
        <h1>Assay</h1>
        <Failure error={asked.error} />
      </main>
    );
  if (asked.kind === 'out') return <SignIn onSession={(session) => setAsked({ kind: 'in', session })} />;
  return (
    <QueryClientProvider client={queries}>
      <SignedIn session={asked.session} onEnd={ended} />
    </QueryClientProvider>
  );
}

function SignedIn({ session, onEnd }: { session: SessionView; onEnd: () => void }) {
  const [live, setLive] = useState<Live | null>(null);
  useEffect(() => {
    const started = startLive(client, queries);
    const unsubscribe = started.onLink(() => {
      if (started.link() === 'signedOut') onEnd();
    });
    setLive(started);
    return () => {
      unsubscribe();
      started.stop();
    };
  }, [onEnd]);
  const here = useMemo(
    () =>
      live === null
        ? null
        : {
            live,
            session,
            leave: () => {
              signOut().then(onEnd, (error: unknown) => {
                if (isSignedOut(error)) onEnd();
              });
            },
          },
    [live, session, onEnd],
  );
  if (here === null) return null;
  return (
    <HereContext value={here}>
      <RouterProvider router={router} />
    </HereContext>
  );
}
