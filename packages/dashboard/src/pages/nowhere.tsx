// What an address that names nothing shows.
import { Link } from '@tanstack/react-router';
import { useTitle } from '../parts/context.ts';

export function Nowhere() {
  useTitle('Not here');
  return (
    <>
      <h1>There is no such page</h1>
      <p>
        <Link to="/">To the overview</Link>
      </p>
    </>
  );
}
