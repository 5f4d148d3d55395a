"""PBX adapters: one module for each kind, named like it, holding parse and render side by side.

A module `pbx/<kind>.py` offers `adapter(account, facts, clock)` and is found by the kind's name alone.
"""
