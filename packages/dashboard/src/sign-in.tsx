// The door: a token for a session. The token goes to the coordinator once and is kept nowhere in the page.
import { type SubmitEvent, useState } from 'react';
import type { SessionView } from '@assay/protocol';
import { signIn } from './connection.ts';
import { Failure } from './parts/basic.tsx';

export function SignIn({ onSession }: { onSession: (session: SessionView) => void }) {
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get('token');
    if (typeof token !== 'string' || token.trim() === '') return;
    setBusy(true);
    signIn(token.trim())
      .then(onSession, setError)
      .finally(() => setBusy(false));
  };
  return (
    <main className="door">
      <h1>Assay</h1>
      <p>This coordinator asks who you are.</p>
      <form onSubmit={submit}>
        <label htmlFor="token">Token</label>
        <input id="token" name="token" type="password" autoComplete="current-password" spellCheck={false} required />
        <button type="submit" disabled={isBusy}>
          Sign in
        </button>
      </form>
      {error === null ? null : <Failure error={error} />}
      <p className="note">
        Make one with <code>assay token create --scope read</code>, or open this page with <code>assay up --open</code>{' '}
        where the coordinator runs.
      </p>
    </main>
  );
}
