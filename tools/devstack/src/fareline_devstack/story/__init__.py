"""The demo story: orders, calls and a recording, played through the public interfaces of the three services only.

`play.py` says what is told; `one_number.py`, `pool.py`, `afterwards.py` and `recording.py` tell it; the other modules are what
a teller needs: a taxi platform, two PBXs, a vendor's API with recordings, and readers for what the services answer.
"""
