// Starts Swagger UI, whose script the page loads before this one, with the document that the page names.

const root = document.getElementById("api-docs");

window.SwaggerUIBundle({
  url: root.dataset.openapi,
  domNode: root,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false, // a token stays in this page's memory
  queryConfigEnabled: false, // a link must not lead the page to another document
  validatorUrl: null, // would send our document to someone else
});
