// An action with a reason: asked for in a dialog, said back when it failed. What it changed comes over the feed.
import { type ReactNode, type SubmitEvent, useId, useRef, useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { Failure } from './basic.tsx';

export function ReasonButton(props: {
  name: string;
  question: string;
  act: (reason: string, form: FormData) => Promise<unknown>;
  /** More fields of the form. */
  children?: ReactNode;
}) {
  const { name, question, act, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const queries = useQueryClient();
  const id = useId();
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(null);
    act(fieldOf(form, 'reason'), form)
      .then(() => {
        dialog.current?.close();
        return queries.invalidateQueries();
      })
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        {name}
      </button>
      <dialog ref={dialog} aria-labelledby={`${id}-title`}>
        <form onSubmit={submit}>
          <h2 id={`${id}-title`}>{name}</h2>
          <p>{question}</p>
          {children}
          <label htmlFor={`${id}-reason`}>Reason</label>
          <input id={`${id}-reason`} name="reason" required maxLength={500} autoComplete="off" />
          {error === null ? null : <Failure error={error} />}
          <div className="actions">
            <button type="button" className="quiet" onClick={() => dialog.current?.close()}>
              Leave it
            </button>
            <button type="submit" disabled={isBusy}>
              {name}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

/** What was written in a field of a form, '' where there is none. */
export function fieldOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
