// Shows one service's OpenAPI document.
const place = document.getElementById("swagger-ui");
SwaggerUIBundle({ url: place.dataset.spec, domNode: place });
