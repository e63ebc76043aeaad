"""daos_agent."""
