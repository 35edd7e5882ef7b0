"""The outside world in a box: an SMS carrier and a mail server with scriptable faults. Never in production."""
