// The page over Swagger UI. Nothing of it is asked of anybody but this server.
globalThis.SwaggerUIBundle({
  url: 'openapi.yaml',
  dom_id: '#explorer',
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
});
