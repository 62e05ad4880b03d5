import type { Luna } from '@luna/core/control';
import { z } from 'zod';
import { openApiDocument } from '../openapi.ts';
import { defineRoute, type Route } from './contract.ts';

/** The OpenAPI document of these routes and of itself. `routes` is read when it is asked for. */
export function openApiRoutes(luna: Luna, routes: readonly Route[]): Route[] {
  let document: Record<string, unknown> | undefined;
  return [
    defineRoute({
      method: 'get',
      path: '/api/openapi.json',
      summary: 'This document',
      description: 'OpenAPI 3.1, made from what the routes check.',
      tag: 'state',
      access: 'admin',
      answer: z.record(z.string(), z.unknown()),
      handle() {
        document ??= openApiDocument(routes, luna.version);
        return document;
      },
    }),
  ];
}
