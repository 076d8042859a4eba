// How the OpenAPI 3.1 document is made from the routes' schemas. Schemas of the protocol that have a name of their own
// become components, so that the document reads like packages/protocol.
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from '@fastify/type-provider-zod';
import {
  AttemptFailure,
  AttemptView,
  BlobRef,
  CancelRequest,
  Case,
  CaseCounts,
  CaseList,
  CaseRow,
  CircuitList,
  CircuitScope,
  CircuitStateName,
  CircuitTransition,
  CircuitView,
  DrainRequest,
  ErrorBody,
  Explanation,
  FeedGap,
  FeedItem,
  ForceCircuitRequest,
  Health,
  PlacementView,
  productVersion,
  Profile,
  ReleaseCircuitRequest,
  RunAccepted,
  RunList,
  RunSpec,
  RunSubmission,
  RunView,
  Scope,
  Source,
  Suite,
  Task,
  TaskCounts,
  TaskList,
  TasksAddition,
  TaskView,
  TokenCreated,
  TokenCreation,
  TokenList,
  TokenView,
  Unplaceable,
  Verdict,
  WorkerList,
  WorkerView,
} from '@assay/protocol';
import { z } from 'zod';
import { scopesNeeded } from './scopes.ts';

const named = {
  RunSubmission,
  RunSpec,
  Suite,
  Task,
  Source,
  TasksAddition,
  RunAccepted,
  RunView,
  RunList,
  Unplaceable,
  CancelRequest,
  TaskView,
  TaskList,
  AttemptView,
  PlacementView,
  CaseRow,
  CaseList,
  Case,
  CaseCounts,
  TaskCounts,
  Verdict,
  AttemptFailure,
  BlobRef,
  Explanation,
  WorkerView,
  WorkerList,
  Profile,
  DrainRequest,
  CircuitView,
  CircuitList,
  CircuitScope,
  CircuitStateName,
  CircuitTransition,
  ForceCircuitRequest,
  ReleaseCircuitRequest,
  TokenView,
  TokenList,
  TokenCreation,
  TokenCreated,
  Scope,
  Health,
  ErrorBody,
  FeedItem,
  FeedGap,
};

const schemaRegistry = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(named)) schemaRegistry.add(schema, { id });

const toJsonSchema = createJsonSchemaTransform({ schemaRegistry });
const toComponents = createJsonSchemaTransformObject({ schemaRegistry });

export const openApiOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Assay coordinator',
      version: productVersion,
      description:
        'Generated from the routes by scripts/generate-openapi.ts; do not edit. Errors of every route are an ErrorBody whose status belongs to its code (docs/reference/errors.md).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{ token: [] }],
  },
  transform: (document) => {
    const transformed = toJsonSchema(document);
    const scope = document.route.config?.scope;
    if (scope === undefined || transformed.schema === undefined) return transformed;
    const needs = scope === 'none' ? 'Needs no token.' : `Needs the scope ${scopesNeeded(scope)}.`;
    const description = [transformed.schema.description, needs].filter((text) => text !== undefined).join(' ');
    return {
      ...transformed,
      schema: { ...transformed.schema, description, ...(scope === 'none' ? { security: [] } : {}) },
    };
  },
  transformObject: (document) => withOneNameEach(toComponents(document)),
};

/**
 * The type provider names each schema twice, as it is taken in and as it is handed out. Ours mean the same both ways: one
 * name is enough, and reads like packages/protocol.
 */
function withOneNameEach<Document extends object>(document: Document): Document {
  const text = JSON.stringify(document).replaceAll(/("#\/components\/schemas\/\w+?)Input"/g, '$1"');
  const renamed = JSON.parse(text) as Document & { components?: { schemas?: Record<string, unknown> } };
  const schemas = renamed.components?.schemas ?? {};
  for (const name of Object.keys(schemas)) if (name.endsWith('Input')) delete schemas[name];
  return renamed;
}
