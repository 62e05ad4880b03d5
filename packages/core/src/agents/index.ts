export {
  type Agent,
  type AgentEnd,
  type AgentTool,
  type AgentTurn,
  type ChatMessage,
  defineAgent,
  lastUserText,
  type ModelAnswer,
  type ModelQuestion,
  type ModelTool,
  type ModelToolCall,
  type TokenUsage,
  textOfMessage,
} from './agent.ts';
export { AgentHttp, type AgentHttpOptions } from './agent-http.ts';
export { Agents, type AgentsOptions, oneModel, type TurnCircumstances, type TurnOutcome } from './agents.ts';
export { type ChatRequest, parseChatRequest } from './chat-request.ts';
export { defaultModelOf, endpointOf, type ModelEndpoint, type ModelSettings, modelNames } from './endpoint.ts';
export { type LoopOptions, runToolLoop } from './loop.ts';
export { Models } from './model.ts';
export { type AgentFileState, HomeAgents, type HomeAgentsOptions } from './own/home-agents.ts';
export { missingTools, presetSelection, type ResolvedAgent } from './presets.ts';
export { chunk, completion, endOfStream, serverSentEvent, usageChunk } from './wire/chat-completions.ts';
export { type OpenAiError, toOpenAiError } from './wire/openai-errors.ts';
export { ResponseWriter } from './wire/responses.ts';
export { chatRequestOf, parseResponsesRequest, type ResponsesRequest } from './wire/responses-request.ts';
