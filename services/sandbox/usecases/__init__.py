"""What happens in the outside world: messages are kept, receipts posted, the clock is moved, people look."""
