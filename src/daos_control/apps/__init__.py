"""Composition roots: the only places that build real objects and own the outermost TaskGroup."""
