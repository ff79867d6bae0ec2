"""The page that shows the documents of OpenAPI of all services of a container."""
