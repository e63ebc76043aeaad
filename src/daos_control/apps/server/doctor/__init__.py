"""What would go wrong with a daos_server before it does.

``look`` gathers ``facts``, ``examine`` has each topic's checks judge them. The rules are those that the server applies
when it starts: of ``config.validation``, ``config.preparation``, ``apps.server.preparation`` and ``.addresses``.
"""
