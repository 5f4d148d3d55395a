"""What a call means and where it goes: values and pure functions. Start reading at `route.py`."""
