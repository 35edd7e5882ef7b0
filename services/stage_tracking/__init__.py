"""The three periods, six milestones and clocks of each case, its tasks and its enforcement log."""
