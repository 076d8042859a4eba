// How the OpenAPI 3.1 document is made from the routes' schemas. Schemas of the protocol that have a name of their own
// become components, so that the document reads like packages/protocol.
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from '@fastify/type-provider-zod';
import * as protocol from '@assay/protocol';
import { z } from 'zod';

const named = [
  'RunSubmission',
  'RunSpec',
  'Suite',
  'Task',
  'Source',
  'TasksAddition',
  'RunAccepted',
  'RunView',
  'RunList',
  'Unplaceable',
  'CancelRequest',
  'TaskView',
  'TaskList',
  'AttemptView',
  'CaseRow',
  'CaseList',
  'Case',
  'CaseCounts',
  'TaskCounts',
  'Verdict',
  'AttemptFailure',
  'BlobRef',
  'Explanation',
  'WorkerView',
  'WorkerList',
  'Profile',
  'DrainRequest',
  'TokenView',
  'TokenList',
  'TokenCreation',
  'TokenCreated',
  'Scope',
  'Health',
  'ErrorBody',
  'FeedItem',
  'FeedGap',
] as const;

const schemaRegistry = z.registry<{ id: string }>();
for (const id of named) schemaRegistry.add(protocol[id], { id });

export const openApiOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Assay coordinator',
      version: protocol.productVersion,
      description:
        'Generated from the routes by scripts/generate-openapi.ts; do not edit. Errors of every route are an ErrorBody whose status belongs to its code (docs/reference/errors.md).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{ token: [] }],
  },
  transform: createJsonSchemaTransform({ schemaRegistry }),
  transformObject: createJsonSchemaTransformObject({ schemaRegistry }),
};
