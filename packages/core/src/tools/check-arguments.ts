import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { LunaError, messageOf } from '../errors/index.ts';
import type { JsonSchema, ToolArguments } from './tool.ts';

/**
 * What checks the arguments of calls by a schema, and fills in its defaults. Throws `invalid_input` for arguments that
 * do not fit. Compiled when it is used first. Throws `extension_invalid` for a schema that cannot be compiled.
 */
export function argumentCheck(schema: JsonSchema): (args: ToolArguments) => ToolArguments {
  let validate: ValidateFunction | undefined;
  return (args) => {
    validate ??= compile(schema);
    const filled = structuredClone(args) as ToolArguments;
    if (validate(filled)) return filled;
    const why = ajv.errorsText(validate.errors, { dataVar: 'arguments' });
    throw new LunaError('invalid_input', `The arguments do not fit: ${why}.`);
  };
}

const ajv = new Ajv2020({
  strict: false,
  useDefaults: true,
  allErrors: true,
  validateFormats: false,
  logger: false,
  addUsedSchema: false,
});

function compile(schema: JsonSchema): ValidateFunction {
  const { $schema: _language, $id: _id, ...rest } = schema;
  try {
    return ajv.compile(rest);
  } catch (thrown) {
    throw new LunaError('extension_invalid', `The input schema cannot be used: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}
