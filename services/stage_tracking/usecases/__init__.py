"""What stage tracking does: one function per act, one transaction each; the case's row is locked first."""
