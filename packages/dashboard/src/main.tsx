// The start of the page: who is here, then the app, or the door.
import './styles.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { config } from 'zod';
import { App } from './app.tsx';
import { applyTheme } from './theme.ts';

// Schemas are not compiled to code here: the policy that the page runs under forbids that.
config({ jitless: true });
applyTheme();
const root = document.getElementById('app');
if (root === null) throw new Error('the page has no place for the app');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
