import type { Luna } from '@luna/core/control';
import { z } from 'zod';
import { openApiDocument } from '../openapi.ts';
import type { PublicAddress } from '../public-address.ts';
import { defineRoute, type Route } from './contract.ts';

/** The OpenAPI document of these routes and of itself. `routes` is read when it is asked for. */
export function openApiRoutes(luna: Luna, routes: readonly Route[], address: PublicAddress): Route[] {
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
        const { basePath } = address;
        return basePath === '' ? document : { ...document, servers: [{ url: basePath }] };
      },
    }),
  ];
}
