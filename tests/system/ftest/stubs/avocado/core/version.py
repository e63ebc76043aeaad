"""The release of Avocado whose conventions DAOS's utilities shall follow."""

MAJOR = 82
