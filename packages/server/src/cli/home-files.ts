import { existsSync } from 'node:fs';
import { ConfigStore, homePaths, type MasterConfig, masterConfigSchema } from '@luna/core/config';

/** What master_config.json of a home says, or the defaults where there is none yet. Throws `config_invalid`. */
export async function savedConfig(home: string): Promise<MasterConfig> {
  const file = homePaths(home).config;
  if (!existsSync(file)) return masterConfigSchema.parse({});
  return (await ConfigStore.open({ file })).config;
}
