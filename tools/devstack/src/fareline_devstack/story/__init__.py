"""The demo story: orders, calls and a recording, played through the public interfaces of the three services only.

`play.py` plays it; `one_number.py`, `pool.py`, `recording.py` and `afterwards.py` tell it. The rest is what they need:
a taxi platform, two PBXs, a vendor's API with recordings, and readers for what the services answer.
"""
