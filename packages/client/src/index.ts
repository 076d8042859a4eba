// The typed client of a coordinator's API, for browsers and Node.
export { ClientError } from './client-error.ts';
export {
  type CasesQuery,
  type Client,
  type ClientOptions,
  createClient,
  type RunsQuery,
  type TasksQuery,
} from './client.ts';
export type { FeedDelivery, FollowOptions } from './follow-feed.ts';
export type { BlobContent } from './transport.ts';
