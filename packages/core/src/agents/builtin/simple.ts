import type { Agent } from '../agent.ts';
import { runToolLoop } from '../loop.ts';

/** The model with the tools: it calls them until it can answer. */
export const simpleAgent: Agent = {
  name: 'simple_agent',
  description: 'Answers with the model, which calls tools as it needs them.',
  run: (turn) => runToolLoop(turn),
};
