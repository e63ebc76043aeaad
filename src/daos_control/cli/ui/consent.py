"""Asking a person before something that cannot be undone."""

import sys

QUESTION = "Are you sure you want to continue? (yes/no)"


def consent(warning: str = "") -> bool:
    """Show what is about to happen, unless that has been said, and ask until the answer is yes or no.

    The end of the input is a no.
    """
    if warning:
        print(f"{warning}\n")
    while True:
        print(QUESTION, flush=True)
        answer = sys.stdin.readline()
        if not answer or answer.strip().lower() == "no":
            return False
        if answer.strip().lower() == "yes":
            return True
