"""The few parts of the Avocado framework that DAOS's utilities use; nothing of the framework itself."""
