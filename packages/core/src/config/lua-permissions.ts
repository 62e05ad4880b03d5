import { z } from 'zod';

/** What a tool in Lua may use beyond its own arguments. Nothing is permitted that is not named. */
export const luaPermissionsSchema = z.strictObject({
  network: z
    .strictObject({
      allowed_hosts: z.array(z.string().min(1)).default([]).describe('Names; "*.example.com" is all below it.'),
    })
    .prefault({}),
  filesystem: z
    .strictObject({
      read: z.array(z.string().min(1)).default([]).describe('Folders and files in the home.'),
      write: z.array(z.string().min(1)).default([]),
    })
    .prefault({}),
  tools: z.array(z.string().min(1)).default([]).describe('Tools that the script may call.'),
  env: z.array(z.string().min(1)).default([]).describe('Keys of .env that the script may read.'),
});

export type LuaPermissions = z.infer<typeof luaPermissionsSchema>;
