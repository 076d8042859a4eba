// What a task printed: as it comes over the feed, and as it was stored. Colours are the terminal's, by name; nothing that a
// test prints becomes markup. Images and videos are shown as what they are.
// What always holds: bounded; the oldest text is let go, and that is said.
import Anser from 'anser';
import { useEffect, useMemo, useState } from 'react';
import type { BlobRef } from '@assay/protocol';
import { client } from '../connection.ts';
import { Empty, Failure, Loading, Section } from './basic.tsx';
import { useHere } from './context.ts';
import { bytes } from './format.ts';

const charsMax = 400_000;
const showEveryMs = 200;
const storedBytesMax = 2_000_000;

export function LiveLog({ task }: { task: string }) {
  const { live } = useHere();
  const [text, setText] = useState('');
  const [isCut, setCut] = useState(false);
  useEffect(() => {
    let waiting = '';
    let timer: ReturnType<typeof setTimeout> | null = null;
    const unsubscribe = live.onItem((item) => {
      if (item?.kind !== 'output' || item.task !== task) return;
      waiting += item.text;
      timer ??= setTimeout(() => {
        timer = null;
        const more = waiting;
        waiting = '';
        setText((old) => {
          const all = old + more;
          if (all.length <= charsMax) return all;
          setCut(true);
          return all.slice(-charsMax);
        });
      }, showEveryMs);
    });
    return () => {
      unsubscribe();
      if (timer !== null) clearTimeout(timer);
    };
  }, [live, task]);
  return (
    <Section title="Live output" extra={<span className="note">since this page was opened</span>}>
      {isCut ? <p className="note">The oldest of it was let go here; the stored log has it.</p> : null}
      {text === '' ? (
        <Empty>Nothing was printed since this page was opened.</Empty>
      ) : (
        <Printed text={text} name="Live output" />
      )}
    </Section>
  );
}

type Stored =
  | { kind: 'text'; text: string }
  | { kind: 'image'; url: string }
  | { kind: 'video'; url: string }
  | { kind: 'failed'; error: unknown };

const mediaTypes: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  webm: 'video/webm',
  mp4: 'video/mp4',
};

export function StoredLog({ blob }: { blob: BlobRef }) {
  const [stored, setStored] = useState<Stored | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    let url: string | null = null;
    const type = mediaTypes[blob.name.split('.').at(-1)?.toLowerCase() ?? ''];
    const read = async (): Promise<Stored> => {
      const content = await new Response(await client.downloadBlob(blob.digest, stop.signal)).blob();
      if (type === undefined) return { kind: 'text', text: await content.slice(0, storedBytesMax).text() };
      url = URL.createObjectURL(new Blob([content], { type }));
      return { kind: type.startsWith('video') ? 'video' : 'image', url };
    };
    read().then(
      (value) => stop.signal.aborted || setStored(value),
      (error: unknown) => stop.signal.aborted || setStored({ kind: 'failed', error }),
    );
    return () => {
      stop.abort();
      if (url !== null) URL.revokeObjectURL(url);
    };
  }, [blob]);
  if (stored === null) return <Loading />;
  if (stored.kind === 'failed') return <Failure error={stored.error} />;
  if (stored.kind === 'image') return <img className="artefact" src={stored.url} alt={blob.name} />;
  // A test's own recording has no captions to show.
  if (stored.kind === 'video') return <video className="artefact" src={stored.url} controls aria-label={blob.name} />;
  return (
    <>
      {blob.bytes > storedBytesMax ? <p className="note">The first {bytes(storedBytesMax)} of it.</p> : null}
      <Printed text={stored.text} name={blob.name} />
    </>
  );
}

function Printed({ text, name }: { text: string; name: string }) {
  const [words, setWords] = useState('');
  const lines = useMemo(() => text.split('\n'), [text]);
  const shown = words === '' ? lines : lines.filter((line) => line.toLowerCase().includes(words.toLowerCase()));
  const pieces = useMemo(() => Anser.ansiToJson(shown.join('\n'), { use_classes: true, remove_empty: true }), [shown]);
  return (
    <div>
      <label className="filters">
        <span>Only lines with</span>{' '}
        <input type="search" value={words} onChange={(event) => setWords(event.target.value)} />
        <span className="note" role="status">
          {words === '' ? `${lines.length} lines` : `${shown.length} of ${lines.length} lines`}
        </span>
      </label>
      <pre className="log" tabIndex={0} role="region" aria-label={name}>
        {pieces.map(({ content, fg, decorations }, index) => (
          <span key={index} className={`${fg ?? ''} ${decorations.join(' ')}`.trim() || undefined}>
            {content}
          </span>
        ))}
      </pre>
    </div>
  );
}
