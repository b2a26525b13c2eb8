"""The description of the HTTP API in OpenAPI 3.1, made from the tables that route and answer."""
