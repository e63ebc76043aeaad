"""Typed models of the three YAML files, with the validation rules of DAOS 2.8."""
