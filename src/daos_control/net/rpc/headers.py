"""Names of the request headers by which a caller says what it is."""

COMPONENT_HEADER = "x-daos-component"
VERSION_HEADER = "x-daos-version"
