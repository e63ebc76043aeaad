"""Verbs that more than one program has: ``version``, ``support collect-log`` and ``config generate``.

Their options stand by themselves, since tables of commands are loaded long before a command is carried out.
"""
