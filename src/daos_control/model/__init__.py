"""Frozen values every layer speaks in: members, pools, fault domains, events."""
