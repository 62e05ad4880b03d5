export { parseDefinition, readDefinition } from './definition.ts';
export type { Unpack } from './definition-folders.ts';
export type { ServiceCommand, ServiceDefinition } from './definition-shape.ts';
export { ExternalServices } from './external-services.ts';
export type { ExternalServicesOptions, ServiceEvent, WantedService } from './external-services-options.ts';
export { type ServiceRoute, serviceRouteSchema } from './service-routes.ts';
export {
  type AvailableExternalServiceView,
  availableExternalServiceView,
  type ExternalServiceDetailView,
  type ExternalServiceView,
  externalServiceDetailView,
  externalServiceView,
} from './views.ts';
