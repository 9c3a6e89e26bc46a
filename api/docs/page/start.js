// Draws the OpenAPI document. What is pasted into "Authorize" stays in this page's memory and is gone with it.
document.documentElement.classList.toggle("dark-mode", matchMedia("(prefers-color-scheme: dark)").matches);
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  filter: true,
  persistAuthorization: false,
  // The document says that its schemas are plain JSON Schema 2020-12, and the page would warn of any such word.
  plugins: [() => ({ components: { JsonSchemaDialect: () => null } })],
  queryConfigEnabled: false,
  validatorUrl: null,
});
