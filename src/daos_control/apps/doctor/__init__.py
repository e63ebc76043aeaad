"""What would go wrong with a program before it does: what the doctors of daos_server and daos_agent have in common.

A *check* is a pure function from facts to findings; facts are frozen values that were gathered before, by readers in
``host`` and ``security`` which change nothing. Where a program applies a rule when it starts, its check calls that rule
and not another one like it.
"""
