import { z } from 'zod';

/** Settings of calls, of a whole file or of one tool. */
const callSettings = {
  timeout_seconds: z.number().positive().max(3_600).optional().describe('Longest time of one call. Default 30.'),
  retries: z.int().min(0).max(10).optional().describe('How often a call that may be repeated is. Default 2.'),
  max_response_bytes: z.int().min(1).max(268_435_456).optional().describe('Of one answer. Default 5 MiB.'),
  cache_ttl_seconds: z
    .number()
    .min(0)
    .max(86_400)
    .optional()
    .describe('How long an answer is used again. Default: not.'),
};

const parameter = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  required: z.boolean().optional().describe('Default: yes, if it has no default.'),
  default: z.unknown().optional(),
});

const template = z.union([z.string(), z.number(), z.boolean()]);

const declaredTool = z
  .strictObject({
    name: z.string().min(1).max(64),
    title: z.string().optional(),
    description: z.string().min(1),
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']).default('GET'),
    path: z.string().startsWith('/').describe('With the names of parameters in braces: /users/{id}.'),
    parameters: z.record(z.string(), parameter).default({}),
    query: z.record(z.string(), template).optional().describe('Values with the names of parameters in braces.'),
    headers: z.record(z.string(), template).optional(),
    body: z
      .union([
        z.strictObject({ json: z.unknown() }),
        z.strictObject({ form: z.record(z.string(), template) }),
        z.strictObject({ text: z.string() }),
      ])
      .optional()
      .describe('Default: parameters that are nowhere else, as JSON.'),
    response: z
      .strictObject({ pick: z.string().optional().describe('A path into the JSON of the answer: data.items.') })
      .optional(),
    read_only: z.boolean().optional(),
    ...callSettings,
  })
  .check(({ value: { path, parameters }, issues }) => {
    const missing = [...path.matchAll(/\{(\w+)\}/g)].find(([, name = '']) => !Object.hasOwn(parameters, name))?.[1];
    if (missing !== undefined)
      issues.push({ code: 'custom', input: path, path: ['path'], message: `"${missing}" is none of the parameters` });
  });

const common = {
  $schema: z.string().optional(),
  title: z.string().optional(),
  base_url: z.url({ protocol: /^https?$/ }).optional(),
  headers: z.record(z.string(), z.string()).default({}).describe('Sent with each call. ${NAME} is a key of .env.'),
  allow_private_network: z.boolean().default(false).describe('Whether it may lead to addresses inside the network.'),
  ...callSettings,
};

const forwarderSchema = z
  .strictObject({ ...common, base_url: z.url({ protocol: /^https?$/ }), tools: z.array(declaredTool).min(1) })
  .refine(({ tools }) => new Set(tools.map(({ name }) => name)).size === tools.length, {
    error: 'two tools have one name',
    path: ['tools'],
  });

const openApiSchema = z.strictObject({
  ...common,
  openapi: z.string().min(1).describe('The document: an address, or a path beside this file.'),
  include: z.array(z.string()).optional().describe('Operations by operationId, tag:NAME, or METHOD /path with *.'),
  exclude: z.array(z.string()).default([]),
  auth: z.record(z.string(), z.string()).default({}).describe('Credentials by the name of the security scheme.'),
});

/** What a file under `http/` says. */
export const httpFileSchema = z.union([openApiSchema, forwarderSchema]);

export type OpenApiFile = z.infer<typeof openApiSchema>;
export type ForwarderFile = z.infer<typeof forwarderSchema>;
export type HttpFile = OpenApiFile | ForwarderFile;
export type DeclaredTool = z.infer<typeof declaredTool>;

/** The schema that a file is meant to fit: the errors of one say more than those of both. */
export function schemaFor(value: unknown): typeof openApiSchema | typeof forwarderSchema {
  return typeof value === 'object' && value !== null && 'openapi' in value ? openApiSchema : forwarderSchema;
}
