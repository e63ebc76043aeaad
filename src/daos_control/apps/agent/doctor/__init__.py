"""What would go wrong with a daos_agent, and with the applications it serves, before it does.

``look`` gathers ``facts`` and asks the system once, with little patience; ``examine`` judges.
"""
