// What stands around every page: where one can go, whether what is shown is live, and who one is.
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useHere, useLink } from './parts/context.ts';
import { applyTheme, storedTheme, type Theme } from './theme.ts';

const places = [
  { to: '/', name: 'Overview' },
  { to: '/workers', name: 'Workers' },
  { to: '/circuits', name: 'Circuits' },
  { to: '/recovery', name: 'Recovery' },
] as const;

export function Shell() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isFirst = useRef(true);
  // Whoever follows a link by keyboard goes on from the page that it leads to.
  useEffect(() => {
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="bar">
        <Link to="/" className="brand">
          Assay
        </Link>
        <nav aria-label="Pages">
          {places.map(({ to, name }) => (
            <Link key={to} to={to} activeOptions={{ exact: to === '/' }}>
              {name}
            </Link>
          ))}
        </nav>
        <LinkSign />
        <ThemeChoice />
        <Me />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}

function LinkSign() {
  const link = useLink();
  const text = {
    connecting: 'Connecting',
    live: 'Live',
    lost: 'Connection lost; trying again',
    signedOut: 'Signed out',
  };
  return (
    <span className={`link ${link}`} role="status">
      <span aria-hidden="true" className="dot" /> {text[link]}
    </span>
  );
}

function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>(storedTheme);
  return (
    <select
      aria-label="Colours"
      value={theme}
      onChange={(event) => {
        const next = event.target.value as Theme;
        setTheme(next);
        applyTheme(next);
      }}
    >
      <option value="system">System</option>
      <option value="light">Light</option>
      <option value="dark">Dark</option>
    </select>
  );
}

function Me() {
  const { session, leave } = useHere();
  if (session.kind !== 'session') return null;
  return (
    <span className="me">
      <span className="name">{session.name}</span>{' '}
      <button type="button" className="quiet" onClick={leave}>
        Sign out
      </button>
    </span>
  );
}
